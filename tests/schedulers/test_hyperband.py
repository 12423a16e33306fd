"""Hyperband at work: what is trained is what was planned, and who continues."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from kerashpo.core.records import Budget, Status
from kerashpo.schedulers.hyperband import Hyperband
from kerashpo.schedulers.successive_halving import Halving
from kerashpo.space import Space, integer
from kerashpo.study.loop import Limits
from kerashpo.testing import CurveStudy

LINE = Space({"x": integer(0, 10_000)})


def by_rank(history):
    """How many epochs each of the trials got, the best configuration first."""
    order = sorted(history.trials.values(), key=lambda trial: trial.config["x"])
    return [trial.epochs for trial in order]


@pytest.mark.parametrize("max_epochs, factor", [(81, 3), (50, 3), (16, 2), (7, 3)])
def test_the_epochs_trained_equal_the_plan(max_epochs, factor):
    scheduler = Hyperband(max_epochs, factor)
    history = CurveStudy(lambda: Hyperband(max_epochs, factor)).history()
    plan = scheduler.plan()
    assert (len(history.trials), history.epochs) == (plan.trials, plan.epochs)


def test_the_best_of_a_rung_continue():
    search = CurveStudy(lambda: Halving(9, 3), lambda c, e: c["x"] / 10_000 + 1 / e, LINE)
    history = search.history()
    assert by_rank(history) == [9, 3, 3, 1, 1, 1, 1, 1, 1]
    ended = Counter((t.status, t.reason) for t in history.trials.values())
    assert ended == {(Status.STOPPED, "rung"): 8, (Status.COMPLETED, "completed"): 1}


def test_the_best_epoch_decides_not_the_last():
    worst_at_last = CurveStudy(
        lambda: Halving(9, 3), lambda c, e: 1e6 if e == 3 else float(c["x"]), LINE
    )
    assert by_rank(worst_at_last.history()) == [9, 3, 3, 1, 1, 1, 1, 1, 1]


def test_six_configurations_reach_the_last_rung():
    history = CurveStudy(lambda: Hyperband(81, 3), space=Space({"x": integer(1, 6)})).history()
    assert len(history.trials) == 6
    assert max(trial.epoch for trial in history.trials.values()) == 81
    assert history.stopped == "finished"


def test_failures_rank_last():
    def curve(config, epoch):
        if config["x"] < 9_000 and epoch == 1:
            raise RuntimeError("too small")
        return float(config["x"])

    history = CurveStudy(lambda: Halving(27, 3), curve, LINE).history()
    alive = [t for t in history.trials.values() if t.status is not Status.FAILED]
    assert 0 < len(alive) < 27
    assert max(t.epoch for t in alive) == 27


def test_a_trial_that_ended_by_itself_keeps_its_place():
    lowest = CurveStudy(lambda: Halving(9, 3), lambda c, e: float(c["x"]), LINE).history()
    winner = min(t.config["x"] for t in lowest.trials.values())

    def curve(config, epoch):
        return None if config["x"] == winner and epoch > 2 else float(config["x"])

    history = CurveStudy(lambda: Halving(9, 3), curve, LINE).history()
    assert by_rank(history) == [2, 3, 3, 1, 1, 1, 1, 1, 1]
    assert history.best.reason == "early stopping"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_not_promoted(bad):
    spoilt = CurveStudy(
        lambda: Halving(9, 3), lambda c, e: bad if c["x"] < 5_000 else float(c["x"]), LINE
    ).history()
    promoted = [t for t in spoilt.trials.values() if t.epochs > 1]
    assert len(promoted) == 3
    assert all(t.config["x"] >= 5_000 for t in promoted)


def test_a_raised_bound_continues_with_new_trials():
    search = CurveStudy(lambda: Hyperband(9, 3))
    log = CurveStudy(lambda: Hyperband(9, 3), limits=Limits(Budget(max_trials=5))).run()
    history = search.history(log)
    assert len(history.trials) > 5
    assert history.finished
