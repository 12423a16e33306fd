"""Limits: their reading, excess and violation, and the epochs and trials that exceed them."""

from __future__ import annotations

import math

import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Ended, JobStarted, Measured, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.limits import Limit, from_settings, read_limits, to_settings, violation
from kerashpo.core.records import Failure, Objective, Report, Start, Status
from kerashpo.space import Space, uniform

SPACE = Space({"x": uniform(0.0, 1.0)}).to_json()
LIMITS = {
    "val_accuracy": {"at least": 0.8},
    "size": {"at most": 100.0, "before training": True},
}


def test_a_name_is_limited_in_the_direction_in_which_it_does_not_improve():
    size = Objective("size", "min", of=len, before_training=True)
    found = read_limits({"val_auc": 0.9, "loss": 2, size: 10}, known={})
    assert [str(one) for one in found] == [
        "val_auc at least 0.9",
        "loss at most 2",
        "size at most 10",
    ]
    assert [one.before_training for one in found] == [False, False, True]
    assert found[0].excess(0.45) == pytest.approx(0.5)
    assert found[1].excess(1.0) == -0.5
    assert from_settings(to_settings(found)) == found


def test_a_name_among_the_objectives_is_that_objective():
    mine = Objective("score_of_mine", "max", of=len)
    (found,) = read_limits({"score_of_mine": 3}, [mine])
    assert found.objective is mine


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"quality": 3}, "not known whether 'quality' should be minimised"),
        ({"loss": "3"}, "limit of 'loss' must be a finite number. Received: '3'"),
        ({"loss": True}, "must be a finite number"),
        ({"loss": math.inf}, "must be a finite number"),
        ([("loss", 3)], "limits must map the names of metrics"),
        ({3: 3}, "neither the name of a metric nor an Objective"),
        ({"loss": 3, Objective("loss", "max"): 1}, "names 'loss' more than once"),
    ],
)
def test_what_is_no_limit_is_refused(given, message):
    with pytest.raises(InvalidInput, match=message):
        read_limits(given)


def test_a_violation_is_the_sum_of_the_excesses_and_infinite_for_what_is_not_known():
    limits = (Limit(Objective("a", "min"), 2.0), Limit(Objective("b", "max"), 0.0))
    assert violation(limits, {"a": 3.0, "b": -0.25}) == 0.75
    assert violation(limits, {"a": 1.0, "b": 5.0}) == 0.0
    assert violation(limits, {"a": 1.0}) == violation(limits, {"a": 1.0, "b": math.nan}) == math.inf


def study(epochs_of_trials, settings=None):
    created = StudyCreated(
        SPACE, (("val_loss", "min"),), 0, {"limits": LIMITS} if settings is None else settings
    )
    history = History([created])
    for number, epochs in enumerate(epochs_of_trials):
        history.apply(JobStarted(Start(number, {"x": number / 10}, len(epochs))))
        for epoch, (loss, accuracy) in enumerate(epochs, start=1):
            metrics = {"val_loss": loss, "val_accuracy": accuracy}
            history.apply(Reported(Report(number, 0, epoch, metrics, 1.0)))
        history.apply(Ended(number, Status.COMPLETED, ""))
    return history


def test_the_best_epoch_is_the_best_of_those_that_keep_the_limits():
    trial = study([[(0.3, 0.7), (0.5, 0.85), (0.4, 0.81), (0.1, 0.5)]]).trials[0]
    assert (trial.best_epoch, trial.score, trial.feasible) == (3, 0.4, True)


def test_infeasible_trials_come_last_by_their_violation_and_never_lead():
    history = study([[(0.1, 0.4)], [(0.9, 0.8)], [(0.2, 0.6)], [(0.5, 0.9)]])
    assert history.ranking() == [3, 1, 2, 0]
    assert history.best.number == 3
    assert history.front() == [3]
    assert [history.scored(n) for n in range(4)] == [False, True, False, True]
    assert study([[(0.1, 0.4)]]).best is None


def test_a_trial_whose_limited_metric_is_not_finite_is_infeasible():
    history = study([[(0.1, math.nan)]])
    assert not history.trials[0].feasible
    assert history.best is None


def test_what_was_measured_before_training_is_known_without_an_epoch():
    history = study([])
    history.apply(JobStarted(Start(0, {"x": 0.5}, 1)))
    history.apply(Measured(0, 0, 0, {"size": 150.0}))
    history.apply(Ended(0, Status.FAILED, "failed", Failure("limit", "")))
    excess = history.trials[0].excess()
    assert math.isnan(excess[0])
    assert excess[1] == 0.5
    assert not history.trials[0].feasible


def test_a_log_from_before_limits_is_read_as_it_was():
    history = study([[(0.4, 0.5)]], {"max_model_size": 10})
    assert history.best.number == 0
