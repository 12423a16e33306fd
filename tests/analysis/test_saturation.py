"""Saturation: what a number of validation rows can say about the best trials."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kerashpo.analysis.saturation import saturation, saturation_of
from kerashpo.core.events import Ended, JobStarted, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Failure, Report, Start, Status


def study(scores, metric="val_accuracy", direction="max", settings=None, failed=(), **sizes):
    history = History(
        [StudyCreated({"params": []}, ((metric, direction),), 0, settings or {}, sizes)]
    )
    for number, score in enumerate(scores):
        history.apply(JobStarted(Start(number, {}, 1)))
        history.apply(Reported(Report(number, 0, 1, {metric: score}, 1.0)))
        failure = Failure("fit", "broke") if number in failed else None
        status = Status.FAILED if failure else Status.COMPLETED
        history.apply(Ended(number, status, "", failure))
    return history


def test_the_lab_of_the_measurements():
    # 19 of 40 trials tie at 100 % of 91 rows: 681 rows would show one point, 2.7 points are seen.
    found = saturation(study([1.0] * 19 + [0.9] * 21, validation_samples=91))
    assert (found.tied, found.trials, found.rows, found.needed) == (19, 40, 91, 682)
    assert found.detectable == pytest.approx(0.0274, abs=1e-4)
    assert found.close == 19 and found.saturated


def test_rows_needed_are_those_at_which_the_difference_is_seen():
    # With the best at 90 % the spread is that of the errors, whatever the number of rows.
    scores = [0.90, 0.89, 0.88, 0.87]
    needed = saturation_of(scores, 1000).needed
    assert saturation_of(scores, needed).detectable == pytest.approx(0.01, rel=1e-3)


def test_a_test_of_that_many_rows_finds_the_difference_four_times_in_five():
    rng, power = np.random.default_rng(0), []
    spread = 0.3  # of the difference in correctness, row by row
    rows = math.ceil((2.49 * spread / 0.01) ** 2)
    for _ in range(2000):
        difference = rng.normal(0.01, spread, rows)
        power.append(difference.mean() / (spread / math.sqrt(rows)) > 1.645)
    assert np.mean(power) == pytest.approx(0.8, abs=0.03)


def test_many_rows_distinguish_the_best():
    found = saturation(study([0.95, 0.90, 0.88], validation_samples=10_000))
    assert (found.tied, found.close, found.saturated) == (1, 1, False)


def test_close_trials_without_a_tie_are_saturated_too():
    found = saturation(study([0.95, 0.94, 0.93, 0.5], validation_samples=100))
    assert (found.tied, found.close, found.saturated) == (1, 3, True)


def test_failed_trials_do_not_count():
    found = saturation(study([1.0, 1.0, 0.5], failed=(1,), validation_samples=91))
    assert (found.trials, found.tied) == (2, 1)


def test_folds_validate_every_training_row_once():
    sizes = {"training_samples": 500, "validation_samples": 91}
    assert saturation(study([0.9], settings={"cv": "5"}, **sizes)).rows == 500
    assert saturation(study([0.9], settings={"cv": "ShuffleSplit(5)"}, **sizes)) is None


@pytest.mark.parametrize(
    ("metric", "direction", "sizes"),
    [
        ("val_accuracy", "max", {}),  # a pipeline
        ("val_loss", "min", {"validation_samples": 91}),
        ("val_auc", "max", {"validation_samples": 91}),
        ("accuracy", "max", {"validation_samples": 91}),
    ],
)
def test_nothing_is_said_where_nothing_is_known(metric, direction, sizes):
    assert saturation(study([0.9, 0.9], metric, direction, **sizes)) is None


def test_an_empty_study():
    assert saturation(study([], validation_samples=91)) is None
    assert saturation(study([math.nan], validation_samples=91)) is None
