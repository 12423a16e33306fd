"""A final round: cross-validation of a search's finalists.

The search runs first, under its own scheduler. Then the trials with the lowest validation loss
and the default configuration are trained on the further folds of a cross-validation whose
first fold is the search's own validation part. The default configuration guards against a search
that found nothing: it wins if no tuned configuration is better on all folds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar, final

from kerashpo.algorithms.base import Algorithm
from kerashpo.core.errors import require_integer
from kerashpo.core.events import Event, Reached, trial_of
from kerashpo.core.history import History
from kerashpo.core.records import Config, Decision, Done, Exhausted, FoldRuns, Plan, Status, Wait
from kerashpo.core.trial import Trial
from kerashpo.schedulers.base import Decisions, NextJob, Scheduler
from kerashpo.space.space import key

FINALISTS = 4
"""The most tuned configurations in a final round; the default one is added."""


@final
class FinalRound(Scheduler):
    """Runs a search's scheduler, then trains the folds of its finalists.

    Args:
        inner: schedules the search.
        folds: how many folds there are, the search's own included.
        default: the untuned configuration; always a finalist.
        finalists: the most other finalists.
        scored: how many runs count for a trial's score; the folds are the runs after them.
        share: epochs that the search itself may train; the rest of the budget is the final
            round's.
        has_weights: whether a trial's best weights are stored; if not, the search's own fold is
            trained again.

    Raises:
        InvalidInput: for fewer than two folds, or no finalists.
    """

    every_epoch: ClassVar[bool] = False

    def __init__(
        self,
        inner: Scheduler,
        folds: int,
        default: Config,
        finalists: int = FINALISTS,
        scored: int = 1,
        share: float = math.inf,
        has_weights: Callable[[int], bool] = lambda trial: True,
    ) -> None:
        self.inner = inner
        self.folds = require_integer("final_round", folds, 2)
        self.finalists = require_integer("finalists", finalists, 1)
        self.max_epochs = inner.max_epochs
        self.every_epoch, self.deterministic = inner.every_epoch, inner.deterministic  # type: ignore[misc]
        self._default, self._scored, self._share = default, scored, share
        self._has_weights = has_weights

    def next_job(self, algorithm: Algorithm, history: History) -> NextJob:
        job = self._search_job(algorithm, history)
        if not isinstance(job, Done):
            return job
        open_ = [trial for trial in history.running if not history.trials[trial].fold_runs]
        if open_:
            return Wait()
        for number in self.chosen(history):
            record = history.trials[number]
            if number not in history.running and not self._is_trained(record):
                return FoldRuns(number, self._runs_of(record), self._until_of(record))
        if self._default_trial(history) is None:
            runs = tuple(range(self._scored + self.folds - 1))
            return FoldRuns(history.next_trial, runs, self.max_epochs, self._default)
        return Wait() if history.running else job

    def _search_job(self, algorithm: Algorithm, history: History) -> NextJob:
        """Returns the next job of the search, Done once its share of the epochs is spent."""
        left = self._share - _spent(history)
        if left < 1:
            return Done()
        job = self.inner.next_job(algorithm, history)
        if isinstance(job, (Wait, Done, Exhausted)):
            return job
        known = history.trials.get(job.trial)
        return job if job.until - (known.epoch if known else 0) <= left else Done()

    def on_event(self, event: Event, history: History) -> Decisions:
        trial = trial_of(event)
        if trial is None or not history.trials[trial].fold_runs:
            return self.inner.on_event(event, history)
        match event:
            case Reached(trial) if history.trials[trial].complete:
                return [(trial, Decision.STOP)]
        return []

    def chosen(self, history: History) -> Sequence[int]:
        """Returns the finalists: the lowest validation losses, and the default configuration."""
        default = self._default_trial(history)
        tuned = [n for n in by_loss(history) if n != default][: self.finalists]
        if default is not None and history.trials[default].status is not Status.FAILED:
            return [*tuned, default]
        return tuned

    def plan(self) -> Plan:
        plan = self.inner.plan()
        most = (self.finalists + 1) * (self.folds - 1) * self.max_epochs
        note = (
            f"final round: the trials with the lowest validation loss ({self.finalists}) and the "
            f"default configuration, {self.folds} folds each, at most {most} further epochs"
        )
        total = None
        if plan.epochs is not None:
            total = int(min(plan.epochs, self._share)) + most + self.max_epochs
        return replace(plan, epochs=total, notes=(*plan.notes, note))

    @property
    def endless(self) -> bool:
        return self.inner.endless

    def extends(self, old: Scheduler) -> bool:
        return self.inner.extends(old.inner if isinstance(old, FinalRound) else old)

    def _default_trial(self, history: History) -> int | None:
        wanted = key(self._default)
        same = (n for n, trial in history.trials.items() if key(trial.config) == wanted)
        return next(same, None)

    def _is_trained(self, record: Trial) -> bool:
        return bool(record.fold_runs) and record.folds_done

    def _runs_of(self, record: Trial) -> tuple[int, ...]:
        """Returns the folds to train: also the search's own if the default was stopped early."""
        further = range(self._scored, self._scored + self.folds - 1)
        short = self._until_of(record) > record.epoch
        from_start = short or not self._has_weights(record.number)
        return (*range(self._scored), *further) if from_start else tuple(further)

    def _until_of(self, record: Trial) -> int:
        is_default = key(record.config) == key(self._default)
        ended_itself = record.status is Status.COMPLETED or record.settled is not None
        if is_default and not ended_itself:
            return self.max_epochs
        return record.epoch


def _spent(history: History) -> int:
    """Returns the epochs of the search itself: trained, or assigned to running trials."""
    promised = (
        max(0, trial.until - trial.epoch)
        for trial in map(history.trials.__getitem__, history.running)
        if not trial.fold_runs
    )
    return sum(trial.scored_epochs for trial in history.trials.values()) + sum(promised)


def by_loss(history: History) -> list[int]:
    """Returns the scored trials sorted by the loss at their best epochs, the lowest first.

    Trials without a loss come last, sorted by their scores.
    """
    ranks = {number: history.rank(number) for number in history.trials}
    scored = [number for number, (cost, _, _) in ranks.items() if cost < float("inf")]
    return sorted(scored, key=lambda number: (ranks[number][1], ranks[number]))


def affordable(trainings: float, folds: int, most: int = FINALISTS) -> int:
    """Returns how many tuned finalists a budget allows: the final round uses about half of it.

    Args:
        trainings: the whole budget, in trainings of the most epochs.
        folds: how many folds.
        most: an upper bound; at least 1 is returned.
    """
    for finalists in range(most, 1, -1):
        if (finalists + 1) * (folds - 1) <= 0.52 * trainings:
            return finalists
    return 1
