"""The best value so far, against epochs, trials and seconds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kerashpo.analysis.anytime import Trace, mean_trace, trace
from kerashpo.core.events import Ended, JobStarted, Measured, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Failure, Report, Start, Status


def history(direction="min", rows=()):
    """Rows (at, trial, epoch, value) in the order in which they were reported."""
    study = History([StudyCreated({"params": []}, (("value", direction),), 0)])
    for at, trial, epoch, value in rows:
        if trial not in study.trials:
            study.apply(JobStarted(Start(trial, {}, 9), at=at))
        study.apply(Reported(Report(trial, 0, epoch, {"value": value}, at), at=at))
    return study


ROWS = [
    (1.0, 0, 1, 5.0),
    (2.0, 1, 1, 6.0),
    (4.0, 0, 2, 3.0),
    (7.0, 1, 2, math.nan),
    (9.0, 2, 1, 1.0),
]


@pytest.mark.parametrize(
    "by, x, y, end",
    [
        ("seconds", [1, 4, 9], [5, 3, 1], 9),
        ("epochs", [1, 3, 5], [5, 3, 1], 5),
        ("trials", [1, 3], [3, 1], 3),
    ],
)
def test_a_staircase_by_what_was_spent(by, x, y, end):
    found = trace(history(rows=ROWS), by)
    assert (found.x.tolist(), found.y.tolist(), found.end) == (x, y, end)


def test_maximising_keeps_the_direction_of_the_objective():
    assert trace(history("max", rows=ROWS)).y.tolist() == [5.0, 6.0]


def test_the_end_of_the_staircase_is_the_best_score():
    study = history(rows=ROWS)
    assert trace(study).y[-1] == study.best.score


def test_failed_trials_are_left_out_as_in_the_best():
    study = history(rows=ROWS)
    study.apply(Ended(2, Status.FAILED, "failed", Failure("memory", "full"), at=9.0))
    assert trace(study).y.tolist() == [5.0, 3.0]
    assert trace(study).y[-1] == study.best.score


@pytest.mark.parametrize(
    ("settings", "rows", "score"),
    [
        ({"runs": 2}, [(1.0, 0, 1, 2.0), (2.0, 0, 2, 3.0), (3.0, 1, 1, 6.0)], 4.0),
        ({"score": "last"}, [(1.0, 0, 1, 2.0), (2.0, 0, 2, 7.0)], 7.0),
    ],
)
def test_where_no_epoch_alone_is_the_score_it_comes_with_the_last_one(settings, rows, score):
    study = History([StudyCreated({"params": []}, (("value", "min"),), 0, settings)])
    study.apply(JobStarted(Start(0, {}, 2)))
    for at, run, epoch, value in rows:
        study.apply(Reported(Report(0, run, epoch, {"value": value}, at), at=at))
    found = trace(study)
    assert (found.x.tolist(), found.y.tolist()) == ([rows[-1][0]], [score])
    assert found.y[-1] == study.best.score


def test_what_a_users_own_code_returned_is_the_score():
    study = history(rows=[(1.0, 0, 1, 9.0), (2.0, 0, 2, 8.0)])
    study.apply(Measured(0, 0, 2, {"value": 0.5}, at=3.0))
    study.apply(Ended(0, Status.COMPLETED, "completed", at=3.0))
    assert trace(study, "epochs").x.tolist() == [2.0]
    assert trace(study).y.tolist() == [0.5] == [study.best.score]


def test_own_code_that_logs_no_epoch_has_a_score_when_it_ended():
    study = History([StudyCreated({"params": []}, (("value", "min"),), 0)])
    study.apply(JobStarted(Start(0, {}, 1)))
    study.apply(Measured(0, 0, 1, {"value": 0.5}, at=3.0))
    study.apply(Ended(0, Status.COMPLETED, "completed", at=4.0))
    assert (trace(study).x.tolist(), trace(study).y.tolist()) == ([4.0], [0.5])


def test_epochs_of_failed_trials_were_spent():
    study = history(rows=ROWS)
    study.apply(Ended(0, Status.FAILED, "failed", Failure("memory", "full"), at=9.0))
    assert trace(study, "epochs").x.tolist() == [2, 5]


def test_nothing_reported_is_an_empty_staircase():
    empty = trace(history())
    assert (len(empty.x), empty.end) == (0, 0)
    assert np.isnan(empty.at(np.array([0.0, 9.0]))).all()


def test_values_between_the_steps():
    steps = Trace(np.array([1.0, 4.0]), np.array([5.0, 3.0]), 9.0)
    values = steps.at(np.array([0.5, 1.0, 3.9, 4.0, 100.0]))
    np.testing.assert_array_equal(values, [np.nan, 5, 5, 3, 3])


def test_means_need_every_trace():
    one = Trace(np.array([1.0]), np.array([4.0]), 9.0)
    two = Trace(np.array([2.0]), np.array([2.0]), 9.0)
    np.testing.assert_array_equal(mean_trace([one, two], np.array([1.0, 2.0])), [np.nan, 3.0])
