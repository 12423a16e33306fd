import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import Status
from kerashpo.schedulers.median_stopping import MedianStopping, RunningMedian
from kerashpo.testing.curve_study import CurveTable, all_ended


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=50))
def test_the_running_median_is_numpys(values):
    median = RunningMedian()
    for count, value in enumerate(values, start=1):
        median.add(value)
        assert len(median) == count
        assert median.value == np.median(values[:count])


def test_the_running_median_takes_infinity_and_knows_nothing_at_first():
    median = RunningMedian()
    assert math.isnan(median.value)
    for value in (math.inf, 1.0, 2.0):
        median.add(value)
    assert median.value == 2.0


def test_a_trial_whose_best_is_worse_than_the_median_of_means_is_stopped():
    values = [1, 2, 3, 2.5, 2]
    history, _ = (
        CurveTable.flat(values).search(lambda: MedianStopping(4, min_epochs=2, min_trials=3)).play()
    )
    # The median of 1, 2, 3 is 2: 2.5 goes at epoch 2; 2 is not strictly worse than 2.25 or 2.
    assert [t.epochs for t in history.trials.values()] == [4, 4, 4, 2, 4]
    assert history.trials[3].status is Status.STOPPED


def test_the_best_so_far_counts_against_the_mean_of_the_others():
    # Others average 3 over two epochs; the last one was good once, which saves it.
    curves = {0: [4, 2, 2], 1: [4, 2, 2], 2: [1, 9, 9]}
    table = CurveTable(3, lambda i, epoch: curves[i][epoch - 1])
    history, _ = table.search(lambda: MedianStopping(3, min_trials=2)).play()
    assert [t.epochs for t in history.trials.values()] == [3, 3, 3]


def test_a_trial_without_a_finite_value_is_worse_than_any_median():
    history, _ = (
        CurveTable.flat([1, 2, math.nan]).search(lambda: MedianStopping(3, min_trials=2)).play()
    )
    assert history.trials[2].epochs == 1


@given(
    values=st.lists(st.integers(0, 5) | st.just(math.nan), min_size=1, max_size=20),
    workers=st.integers(1, 4),
)
@settings(max_examples=30, deadline=None)
def test_within_the_plan_and_nothing_forgotten(values, workers):
    scheduler = MedianStopping(4, min_trials=2, limit=len(values))
    history, _ = CurveTable.flat(values).search(lambda: scheduler, workers=workers).play()
    assert history.epochs <= scheduler.plan().epochs
    assert all_ended(history)


@given(data=st.data(), values=st.lists(st.integers(0, 5), min_size=1, max_size=12))
@settings(max_examples=30, deadline=None)
def test_cutting_the_log_anywhere_and_resuming_trains_the_same(data, values):
    table = CurveTable.flat(values)
    history, log = table.search(lambda: MedianStopping(4, min_trials=2)).play()
    cut = data.draw(st.integers(1, len(log)))
    again, _ = table.search(lambda: MedianStopping(4, min_trials=2)).play(log[:cut])
    assert {n: t.epochs for n, t in again.trials.items()} == {
        n: t.epochs for n, t in history.trials.items()
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_epochs": 0}, "max_epochs must be"),
        ({"max_epochs": 3, "min_epochs": 4}, "must not exceed max_epochs"),
        ({"max_epochs": 3, "min_trials": 0}, "min_trials must be a whole number of at least 1"),
    ],
)
def test_invalid_arguments(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        MedianStopping(**arguments)
