"""Prepares the training of a tuner's trials: data of each run, first check, runner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

from kerashpo.core.records import Objective
from kerashpo.schedulers.base import Scheduler
from kerashpo.space.space import Space
from kerashpo.store.base import Blobs
from kerashpo.training.data import FitData
from kerashpo.training.factory import KerasSettings, RunnerFactory
from kerashpo.training.folds import RunData, fold
from kerashpo.training.hypermodel import ModelBuilder
from kerashpo.training.loops.user_fit import FitCall
from kerashpo.training.resampling import final_folds
from kerashpo.tuners.builder import check_default
from kerashpo.tuners.final_round import FinalRoundRequest
from kerashpo.tuners.fit_request import Request
from kerashpo.tuners.goal import Goal
from kerashpo.tuners.tuner_options import TunerOptions


@final
@dataclass(frozen=True, slots=True)
class TrainingSetup:
    """The training of a search, once its study is open and its seed known.

    Attributes:
        options: the tuner's arguments.
        request: the arguments of `search`.
        goal: the objectives.
        builder: builds the models.
        fit_hp: arguments of `fit` that are tuned.
        final: the final round, None for none.
        seed: the study's.
    """

    options: TunerOptions
    request: Request
    goal: Goal
    builder: ModelBuilder
    fit_hp: Space
    final: FinalRoundRequest | None
    seed: int

    def folds(self) -> Sequence[FitData]:
        """Returns the data of each run of a trial."""
        return fold(self.request.data, self.options.cv, self.options.turns, self.seed)

    def check_first(
        self, space: Space, scheduler: Scheduler, data: FitData, logged: Sequence[Objective]
    ) -> str | None:
        """Trains the default model on one batch, as a check.

        Returns:
            why its epochs cannot be compiled; None if they can.

        Raises:
            InvalidInput: if the model does not log an objective.
        """
        longest = scheduler.max_epochs
        rungs = [rung.epochs for bracket in scheduler.plan().brackets for rung in bracket]
        first = min(rungs, default=longest)
        limited = {one.name for one in self.goal.limits} - {
            one.name for one in self.goal.objectives
        }
        callbacks = self.request.callbacks
        checked = (self.builder, space, data, logged, callbacks, longest, first, limited)
        return check_default(*checked)

    def factory(
        self, space: Space, folds: Sequence[FitData], epochs: int, planned: bool, blobs: Blobs
    ) -> RunnerFactory:
        """Returns the factory of the runner, for this process or a worker.

        Args:
            space: the study's.
            folds: see `folds`.
            epochs: the most epochs of a trial.
            planned: whether the schedule plans epochs.
            blobs: the storage of checkpoints.
        """
        settings = self.options.training(self.goal, self.seed, epochs)
        own = self.builder.form != "compiled"
        return RunnerFactory(
            self.builder,
            space,
            self._run_data(folds),
            self.request.callbacks,
            replace(settings, folds=0 if self.final is None else self.final.count - 1),
            blobs,
            KerasSettings.current(),
            self.request.call(planned) if own else FitCall(),
            self.options.deterministic,
        )

    def _run_data(self, parts: Sequence[FitData]) -> RunData:
        """Returns the data of every run: of trials, and of the folds of a final round."""
        folds: Sequence[FitData] = ()
        if self.final is not None:
            folds = final_folds(self.request.data, self.final.folds, self.seed)[1:]
        reshuffle = self.seed if self.request.reshuffle else None
        return RunData(parts, self.fit_hp, self.options.runs, folds, reshuffle)
