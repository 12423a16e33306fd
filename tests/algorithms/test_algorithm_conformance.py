"""Every algorithm of the package keeps what algorithms promise."""

from __future__ import annotations

import pytest

from kerashpo.algorithms.registry import algorithm_class, algorithm_names
from kerashpo.testing.algorithms import CASES, CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", CASES)
def test_algorithm(name, check):
    check(CASES[name])


def test_every_algorithm_of_the_registry_has_a_case():
    classes = {algorithm_class(name) for name in algorithm_names()}
    assert classes == {algorithm_class(name) for name in CASES}
