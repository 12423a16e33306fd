"""Numbers from a history, checked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from kerashpo.analysis.anytime import Trace, mean_trace, trace
from kerashpo.analysis.intervals import interval
from kerashpo.analysis.tables import curve_rows, failure_rows, trial_rows
from kerashpo.core.events import Ended, JobStarted, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Failure, Report, Start, Status
from kerashpo.space import Space, uniform

SPACE = Space({"x": uniform(0.0, 1.0)})


def history(values: list[list[float]], direction: str = "max", failed: int = -1) -> History:
    """Returns a study: a list of scores by epoch for each trial, an epoch a second."""
    study = History([StudyCreated(SPACE.to_json(), (("score", direction),), 0)])
    at = 0.0
    for number, scores in enumerate(values):
        study.apply(JobStarted(Start(number, {"x": number / 10}, len(scores)), at=at))
        for epoch, score in enumerate(scores, start=1):
            at += 1.0
            study.apply(Reported(Report(number, 0, epoch, {"score": score}, float(epoch)), at=at))
        failure = Failure("fit", "broke", "story") if number == failed else None
        status = Status.FAILED if failure else Status.COMPLETED
        study.apply(Ended(number, status, "", failure, at=at))
    return study


STUDY = [[0.1, 0.3], [0.2], [0.5, 0.4]]


@pytest.mark.parametrize(
    ("by", "x", "y", "end"),
    [
        ("epochs", [1, 2, 4], [0.1, 0.3, 0.5], 5),
        ("trials", [1, 3], [0.3, 0.5], 3),
        ("seconds", [1, 2, 4], [0.1, 0.3, 0.5], 5),
    ],
)
def test_the_best_so_far(by, x, y, end):
    found = trace(history(STUDY), by)
    assert found.x.tolist() == x
    assert found.y.tolist() == y
    assert found.end == end


def test_minimising_mirrors_maximising():
    up = trace(history(STUDY), "epochs")
    down = trace(history([[-v for v in scores] for scores in STUDY], "min"), "epochs")
    assert np.array_equal(up.x, down.x) and np.array_equal(up.y, -down.y)


def test_nan_and_failed_trials_never_lead():
    assert trace(history([[math.nan, 0.2]]), "epochs").y.tolist() == [0.2]
    study = history([[0.9], [0.2]], failed=0)
    assert trace(study, "epochs").y.tolist() == [study.best.score] == [0.2]


def test_an_empty_study_has_an_empty_trace():
    found = trace(History([StudyCreated(SPACE.to_json(), (("score", "max"),), 0)]))
    assert len(found.x) == len(found.y) == 0
    assert found.end == 0


def test_a_trace_is_a_staircase():
    stairs = Trace(np.array([1.0, 3.0]), np.array([0.1, 0.5]), 4.0)
    values = stairs.at(np.array([0.5, 1.0, 2.9, 3.0, 9.0]))
    assert np.isnan(values[0]) and values[1:].tolist() == [0.1, 0.1, 0.5, 0.5]


def test_the_mean_begins_where_all_have_begun():
    one = Trace(np.array([1.0]), np.array([0.2]), 3.0)
    two = Trace(np.array([2.0]), np.array([0.4]), 3.0)
    mean = mean_trace([one, two], np.array([1.0, 2.0]))
    assert np.isnan(mean[0]) and mean[1] == pytest.approx(0.3)


def test_the_interval_is_students():
    values = [0.91, 0.95, 0.93, 0.97, 0.92]
    found = interval(values)
    low, high = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_few_values_have_no_interval():
    assert math.isnan(interval([]).mean)
    assert interval([0.5]).mean == 0.5 and math.isnan(interval([0.5]).half)
    assert interval([0.5, math.nan, 0.5]).n == 2


def test_rows():
    study = history([[0.1, 0.3], [0.2]], failed=1)
    first, second = trial_rows(study, SPACE)
    assert first == {
        "trial": 0, "status": "COMPLETED", "score": 0.3, "spread": None, "feasible": True,
        "best_epoch": 2, "epochs": 2, "seconds": 2.0, "error": None, "param_x": 0.0,
    }  # fmt: skip
    assert (second["status"], second["error"]) == ("FAILED", "broke")
    assert list(curve_rows(study)) == [
        (0, 1, "score", 0.1, 1.0, 1.0, 0),
        (0, 2, "score", 0.3, 2.0, 2.0, 0),
        (1, 1, "score", 0.2, 1.0, 3.0, 0),
    ]
    (failure,) = failure_rows(study, SPACE)
    assert (failure["trial"], failure["kind"], failure["traceback"]) == (1, "fit", "story")
