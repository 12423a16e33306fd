"""Hyperband's tables against the paper (Li et al. 2018, table 1 and Algorithm 1)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import Rung
from kerashpo.schedulers.brackets import epochs_of, exponent, hyperband_brackets, shrink
from kerashpo.schedulers.hyperband import Hyperband
from kerashpo.schedulers.successive_halving import Halving

RUNGS_81 = (
    ((81, 1), (27, 3), (9, 9), (3, 27), (1, 81)),
    ((34, 3), (11, 9), (3, 27), (1, 81)),
    ((15, 9), (5, 27), (1, 81)),
    ((8, 27), (2, 81)),
    ((5, 81),),
)
"""The paper's table for R = 81, eta = 3, its n by Algorithm 1."""


def test_the_table_of_the_paper():
    assert hyperband_brackets(81, 3) == tuple(
        tuple(Rung(*rung) for rung in bracket) for bracket in RUNGS_81
    )


@pytest.mark.parametrize(
    "max_epochs, factor, brackets, trials, epochs",
    [
        (81, 3, 5, 143, 1581),
        (50, 3, 4, 49, 673),
        (243, 3, 6, None, None),
        (1000, 10, 4, None, None),
        (1, 3, 1, 1, 1),
        (2, 3, 1, 1, 2),
    ],
)
def test_plans(max_epochs, factor, brackets, trials, epochs):
    plan = Hyperband(max_epochs, factor).plan()
    assert len(plan.brackets) == brackets
    assert trials in (None, plan.trials)
    assert epochs in (None, plan.epochs)


def test_restarting_would_train_more():
    restarted = sum(r.trials * r.epochs for b in hyperband_brackets(81, 3) for r in b)
    assert restarted == 1902


@given(st.integers(1, 2000), st.integers(2, 10))
def test_brackets_of_any_size(max_epochs, factor):
    brackets = hyperband_brackets(max_epochs, factor)
    assert len(brackets) == exponent(max_epochs, factor) + 1
    assert factor ** (len(brackets) - 1) <= max_epochs < factor ** len(brackets)
    for bracket in brackets:
        sizes, epochs = [r.trials for r in bracket], [r.epochs for r in bracket]
        assert epochs == sorted(set(epochs))
        assert sizes == sorted(sizes, reverse=True)
        assert min(sizes) >= 1
        assert epochs[-1] == max_epochs


@given(st.integers(1, 200), st.integers(2, 4), st.integers(1, 40))
def test_a_shrunk_bracket_reaches_its_last_rung(max_epochs, factor, trials):
    bracket = hyperband_brackets(max_epochs, factor)[0]
    small = shrink(bracket, trials)
    assert [r.epochs for r in small] == [r.epochs for r in bracket]
    assert small[0].trials == min(trials, bracket[0].trials)
    assert small[-1].trials >= 1
    assert epochs_of(small) <= epochs_of(bracket)


def test_powers_are_found_without_logarithms():
    assert math.floor(math.log(243, 3)) == 4
    assert (exponent(243, 3), exponent(1000, 10), exponent(242, 3)) == (5, 3, 4)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Hyperband(0), "max_epochs must be a whole number of at least 1.*Received: 0"),
        (lambda: Hyperband(9.5), "max_epochs .*Received: 9.5"),
        (lambda: Hyperband(9, 1), "factor must be a whole number of at least 2.*Received: 1"),
        (lambda: Hyperband(9, 3, iterations=0), "hyperband_iterations .*Received: 0"),
        (lambda: Hyperband(9, 3, min_epochs=0), "min_epochs .*Received: 0"),
        (lambda: Hyperband(9, 3, min_epochs=10), "min_epochs must not exceed max_epochs"),
        (lambda: Halving(9, 3, trials=0), "trials .*Received: 0"),
    ],
)
def test_invalid_arguments(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()
