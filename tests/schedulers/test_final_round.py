"""The final round: who enters it, what it trains, and what a cut log continues with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from kerashpo.algorithms.random import RandomSearch
from kerashpo.algorithms.wrappers import Enqueued
from kerashpo.analysis.fold_scores import WEIGHT, finalist_weights, rank, ranked
from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Noted
from kerashpo.core.history import History
from kerashpo.core.records import Budget, Config, Status
from kerashpo.executors.serial import SerialExecutor
from kerashpo.schedulers.asha import ASHA
from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.final_round import FinalRound, affordable, by_loss
from kerashpo.schedulers.full_training import Full
from kerashpo.schedulers.hyperband import Hyperband
from kerashpo.space import Space, integer
from kerashpo.study.loop import Limits
from kerashpo.testing.curve_runner import CurveRunner, InterleavedExecutor
from kerashpo.testing.curve_study import CurveStudy

SPACE = Space({"x": integer(0, 999)})
DEFAULT: Config = SPACE.complete({})
TRIALS, FOLDS, EPOCHS = 8, 4, 3
INNER = {
    "full": (lambda: Full(EPOCHS, TRIALS), TRIALS),
    "hyperband": (lambda: Hyperband(EPOCHS, 3), None),
    "asha": (lambda: ASHA(EPOCHS, 3, limit=TRIALS), TRIALS),
}


def curve(config: Config, epoch: int) -> Mapping[str, float]:
    """Many scores tie; the losses do not, and are lowest near 700."""
    x = float(config["x"])  # type: ignore[arg-type]
    return {"value": -float(x > 300), "loss": abs(x - 700) / 1000 + 1 / epoch}


def search(kind: str, **more: object) -> CurveStudy:
    make, limit = INNER[kind]
    chosen = {
        "scheduler": lambda: FinalRound(make(), FOLDS, DEFAULT, finalists=2),
        "curve": curve,
        "space": SPACE,
        "limits": Limits(Budget(max_trials=limit)),
    } | more
    return CurveStudy(**chosen)  # type: ignore[arg-type]


def folds(history: History) -> dict[int, dict[int, int]]:
    """By trial of the final round: how many epochs each of its further runs was trained."""
    return {
        n: {run: len(trial.reports[run]) for run in sorted(trial.extra) if run in trial.reports}
        for n, trial in history.trials.items()
        if trial.extra
    }


@pytest.mark.parametrize("kind", INNER)
def test_the_lowest_losses_and_the_default_train_on_every_fold(kind: str) -> None:
    history = search(kind).history()
    default = next(n for n, trial in history.trials.items() if trial.config == DEFAULT)
    best = [n for n in by_loss(history) if n != default][:2]
    assert set(folds(history)) == {*best, default}
    for number, trained in folds(history).items():
        until = EPOCHS if number == default else history.trials[number].epoch
        assert trained == dict.fromkeys(range(1, FOLDS), until)
    assert history.trials[default].epoch == EPOCHS
    assert not history.running and not history.paused and history.finished


@pytest.mark.parametrize("kind", INNER)
def test_scores_statuses_and_the_best_stay_those_of_the_search(kind: str) -> None:
    make, _ = INNER[kind]
    plain, whole = search(kind, scheduler=make).history(), search(kind).history()
    for number, trial in plain.trials.items():
        other = whole.trials[number]
        assert (other.score, other.best_epoch) == (trial.score, trial.best_epoch)
        if other.config != DEFAULT:
            assert (other.status, other.reason) == (trial.status, trial.reason)
    assert whole.best is not None and plain.best is not None
    assert whole.best.score == plain.best.score


def test_without_recorded_weights_finalists_far_behind_the_winner_are_not_averaged() -> None:
    history = search("full").history()
    whole, weights = ranked(history), finalist_weights(history)
    losses = {trial.number: rank(trial)[0] for trial in whole}
    near = {n for n, loss in losses.items() if loss <= 1.2 * min(losses.values())}
    # The untuned loss is 0.7 + 1/3; the best one's is near 1/3.
    assert whole[-1].config == DEFAULT and whole[-1].number not in near
    assert weights == {n: (n in near) / len(near) for n in losses}
    assert [*weights] == [trial.number for trial in whole]

    def below_zero(config: Config, epoch: int) -> Mapping[str, float]:
        made = curve(config, epoch)
        return {**made, "loss": made["loss"] - 1}

    other = search("full", curve=below_zero).history()
    assert [*finalist_weights(other).values()] == [1 / 3] * 3
    for number, weight in zip(losses, (0.25, 0.75, 0.0)):
        history.apply(Noted(number, {WEIGHT: weight}, at=history.now))
    assert [*finalist_weights(history).values()] == [0.25, 0.75, 0.0]


@pytest.mark.parametrize("kind", INNER)
def test_it_stays_within_its_plan(kind: str) -> None:
    whole = search(kind)
    plan = whole.scheduler().plan()
    assert plan.epochs is not None and whole.history().epochs <= plan.epochs
    assert "final round" in plan.notes[-1]


@pytest.mark.parametrize("kind", INNER)
def test_a_log_that_is_cut_anywhere_ends_in_the_same(kind: str) -> None:
    whole = search(kind)
    log = whole.run()
    right = History(log)
    for cut in range(1, len(log)):
        again = whole.history(log[:cut])
        assert folds(again) == folds(right), cut
        assert {n: t.status for n, t in again.trials.items()} == {
            n: t.status for n, t in right.trials.items()
        }, cut
        assert again.epochs == right.epochs, cut


@pytest.mark.parametrize("kind", INNER)
def test_several_workers_train_finalists_side_by_side(kind: str) -> None:
    whole = search(kind, executor=lambda c, _: InterleavedExecutor(c, 3, np.random.default_rng(1)))
    with_many = whole.history()
    assert all(set(trained) == set(range(1, FOLDS)) for trained in folds(with_many).values())
    assert len(folds(with_many)) == 3


def test_a_default_that_was_tried_and_given_up_is_trained_to_the_end() -> None:
    def bad(config: Config, epoch: int) -> Mapping[str, float]:
        return {"value": 9.0 if config == DEFAULT else float(config["x"]) / 1e4, "loss": 1.0}  # type: ignore[arg-type]

    whole = search("hyperband", curve=bad)
    whole = replace(whole, algorithm=lambda s, n: Enqueued(RandomSearch(s, n), [DEFAULT]))
    history = whole.history()
    assert history.trials[0].config == DEFAULT
    assert history.trials[0].epoch == EPOCHS and history.trials[0].status is Status.COMPLETED
    assert folds(history)[0] == dict.fromkeys(range(1, FOLDS), EPOCHS)


def test_folds_that_fail_leave_the_trial_its_score() -> None:
    calls = {"folds": 0}

    def make(c: object, done: object) -> SerialExecutor:
        runner = CurveRunner(curve)
        train = runner.run

        def run(items, emit):  # type: ignore[no-untyped-def]
            if any(len(item.runs()) > 1 for item in items):
                calls["folds"] += 1
                runner._curve = _raise
            train(items, emit)

        runner.run = run  # type: ignore[method-assign]
        return SerialExecutor(runner)

    history = search("full", executor=make).history()
    assert calls["folds"] == 3
    tuned = [n for n, trial in history.trials.items() if trial.extra and trial.config != DEFAULT]
    for number in tuned:
        trial = history.trials[number]
        assert trial.status is Status.COMPLETED and trial.score is not None
        assert "RuntimeError" in str(trial.facts["final_round_failure"])
    assert history.best is not None and history.finished


def _raise(config: Config, epoch: int) -> float:
    raise RuntimeError("no fold today")


def test_the_budget_decides_how_many_finalists_there_are() -> None:
    assert affordable(40, 5) == 4
    assert affordable(25, 5) == 2
    assert affordable(13.5, 5) == 1
    assert affordable(math.inf, 5) == 4
    assert affordable(2, 5) == 1
    with pytest.raises(InvalidInput, match="final_round must be a whole number of at least 2"):
        FinalRound(Full(3), 1, DEFAULT)


def test_extending_a_search_continues_with_its_own_scheduler() -> None:
    old: Scheduler = FinalRound(Full(3), 4, DEFAULT)
    assert FinalRound(Full(5), 4, DEFAULT).extends(old)
    assert FinalRound(Full(5), 4, DEFAULT).extends(Full(3))
