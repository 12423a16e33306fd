"""Every algorithm of the package keeps what algorithms promise."""

from __future__ import annotations

import pytest

import kerashpo
from kerashpo.algorithms.registry import algorithm_entry, algorithm_names
from kerashpo.testing.algorithm_driver import AlgorithmDriver
from kerashpo.testing.algorithms import CASES, CHECKS
from kerashpo.testing.curve_runner import wave


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", CASES)
def test_algorithm(name, check):
    check(CASES[name])


def test_every_algorithm_of_the_registry_has_a_case():
    assert set(algorithm_names()) == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_an_algorithm_reads_scores_or_says_that_it_does_not(name):
    case = CASES[name]
    searches = [
        AlgorithmDriver(case.make, case.space, score=score).advance(case.trials)
        for score in (lambda config: wave(config, 1), lambda config: -wave(config, 1))
    ]
    assert (searches[0] != searches[1]) is algorithm_entry(name).reads_scores


@pytest.mark.parametrize("name", CASES)
def test_the_tuner_that_the_registry_names_is_on_the_menu(name):
    tuner = algorithm_entry(name).tuner
    assert not tuner or tuner in dir(kerashpo)
