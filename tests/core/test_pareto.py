"""Several objectives: fronts, crowding and the knee, against the definitions written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kerashpo.core.events import JobStarted, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.pareto import crowding_distance, from_knee, non_dominated, non_dominated_sort
from kerashpo.core.records import Report, Start

COSTS = arrays(
    np.float64,
    st.tuples(st.integers(1, 12), st.integers(1, 4)),
    elements=st.integers(0, 4).map(float),
)


def dominates(a: np.ndarray, b: np.ndarray) -> bool:
    return bool((a <= b).all() and (a < b).any())


@given(COSTS)
def test_a_row_is_kept_unless_another_dominates_it(costs: np.ndarray) -> None:
    expected = [not any(dominates(other, row) for other in costs) for row in costs]
    assert non_dominated(costs).tolist() == expected


@given(COSTS)
def test_fronts_are_those_of_repeated_removal(costs: np.ndarray) -> None:
    fronts = non_dominated_sort(costs)
    for index, row in enumerate(costs):
        better = [fronts[i] for i, other in enumerate(costs) if dominates(other, row)]
        assert fronts[index] == (max(better) + 1 if better else 0)


@given(COSTS, st.integers(-3, 3))
def test_shifting_an_objective_changes_neither_fronts_nor_order(
    costs: np.ndarray, shift: int
) -> None:
    moved = costs + np.arange(costs.shape[1]) * shift
    assert (non_dominated_sort(costs) == non_dominated_sort(moved)).all()
    assert sorted(from_knee(costs)) == list(range(len(costs)))


def test_crowding_is_infinite_at_the_ends_and_the_share_of_the_gap_between() -> None:
    front = np.array([[0.0, 4.0], [1.0, 2.0], [4.0, 0.0]])
    assert crowding_distance(front).tolist() == [math.inf, 4 / 4 + 4 / 4, math.inf]


def test_the_knee_is_nearest_to_the_ideal_point() -> None:
    costs = np.array([[0.0, 10.0], [1.0, 1.0], [10.0, 0.0], [11.0, 11.0]])
    assert from_knee(costs)[0] == 1 and from_knee(costs)[-1] == 3


def test_a_trials_costs_are_those_of_the_epoch_of_its_score() -> None:
    objectives = (("val_loss", "min"), ("val_accuracy", "max"), ("absent", "min"))
    history = History([StudyCreated({"params": []}, objectives, 0), JobStarted(Start(0, {}, 2))])
    for epoch, loss, accuracy in ((1, 0.5, 0.9), (2, 0.4, 0.7)):
        metrics = {"val_loss": loss, "val_accuracy": accuracy}
        history.apply(Reported(Report(0, 0, epoch, metrics, 1.0)))
    assert history.trials[0].costs == pytest.approx((0.4, -0.7, math.inf))
