"""Reports the epochs of one run and keeps its best weights."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, final

import keras

from kerashpo.core.errors import UnusableResult, nearest
from kerashpo.core.events import Measured, Reported
from kerashpo.core.objective import judge
from kerashpo.core.records import Decision, Report
from kerashpo.executors.base import Emit
from kerashpo.executors.messages import Saving
from kerashpo.training.loops.user_fit import as_epochs, as_metrics, as_runs, is_curve, mean
from kerashpo.training.preflight import never_validated
from kerashpo.training.settings import Settings
from kerashpo.training.trial_state import TrialState


@final
class EpochReporter:
    """Reports each epoch of a run, and has its best weights and its checkpoints saved.

    Args:
        live: the trial in memory.
        place: its number, and which run.
        settings: how it is trained.
        emit: takes messages and answers.
        grow: reports values that the user's code asked for.
        save: writes a checkpoint.
        complete: whether every epoch logs all that will ever be logged, so that an objective
            that the first one lacks is none.
        validation_freq: after which epochs the model is validated, None where it never is.
        last: the epoch that a number is of which the user's own code returns, None for the next.

    Attributes:
        answer: the last answer to an epoch.
    """

    def __init__(
        self,
        live: TrialState,
        place: tuple[int, int],
        settings: Settings,
        emit: Emit,
        grow: Callable[[Any], None],
        save: Callable[[], None],
        complete: bool = False,
        validation_freq: Any = None,
        last: int | None = None,
    ) -> None:
        self.answer = Decision.CONTINUE
        self._live, self._settings, self._emit = live, settings, emit
        self._trial, self._run = place
        self._grow, self._save, self._complete = grow, save, complete
        self._first, self._before = live.epoch + 1, live.seconds
        self._last = last or self._first
        self._began = self._saved = time.perf_counter()
        self._logged: list[str] = []
        self._validation_freq = validation_freq

    def on_epoch(self, epoch: int, metrics: dict[str, float]) -> bool:
        """Reports an epoch, counted from 1; returns whether the training should end."""
        before = self._live.seconds
        self.answer = self._tell(epoch, metrics)
        if self.answer is Decision.CONTINUE and self._is_due(self._live.seconds - before):
            self.answer = self._emit(Saving(self._trial))
            self._save()
            self._saved = time.perf_counter()
        return self.answer is not Decision.CONTINUE

    def _tell(self, epoch: int, metrics: dict[str, float]) -> Decision:
        """Takes in an epoch and reports it; returns the answer."""
        live, settings = self._live, self._settings
        spent = self._before + time.perf_counter() - self._began
        live.epoch, live.seconds = epoch, spent
        live.stopped = bool(live.model.stop_training)
        self._grow(live.hp)
        metrics = settings.derived.add(metrics, live.model)
        self._logged = list(metrics)
        report = Report(self._trial, self._run, epoch, metrics, live.seconds)
        live.note_best(judge(settings.objective, metrics, epoch), self._newest_counts(metrics))
        if self._complete:
            self._check_first()
        return self._emit(Reported(report))

    def take(self, result: Any, where: str) -> None:
        """Takes in what a training loop of the user's own returned.

        A History tells of epochs that were not heard; a number or dict is the score, and
        measured apart where the epochs say something else.

        Raises:
            UnusableResult: if it is nothing of the kind, or lacks the objective.
        """
        self._grow(self._live.hp)
        if self.answer is not Decision.CONTINUE:
            return
        name = self._settings.objective.name
        required = None if name in self._settings.derived.names else name
        whole = isinstance(result, keras.callbacks.History) or is_curve(result)
        if whole and self._logged:
            return
        if whole:
            epochs = as_epochs(result, name, where, required)
        else:
            told = [as_metrics(one, name, where, required) for one in as_runs(result, where)]
            if self._logged:
                self._measure(mean(told))
                return
            epochs = [(self._last, mean(told))]
        # They are trained already: a pause comes too late, and a checkpoint would hold the last.
        for epoch, metrics in epochs:
            if self._tell(epoch, metrics) is Decision.STOP:
                return

    def check(self) -> None:
        """Raises UnusableResult if epochs were trained that never logged the objective."""
        name, logged = self._settings.objective.name, self._logged
        if logged and name not in logged and not self._live.best.finite:
            if name.startswith("val_") and self._validation_freq not in (None, 1):
                epoch = self._live.epoch
                raise UnusableResult(never_validated(name, self._validation_freq, epoch))
            raise UnusableResult(
                f"The model does not log the objective {name!r}.{nearest(name, logged)} "
                f"It logs: {', '.join(logged)}."
            )

    def _check_first(self) -> None:
        """Looks for the objective as soon as there was a validation, if it is measured there."""
        held_out = self._settings.objective.name.startswith("val_")
        if not held_out or any(name.startswith("val_") for name in self._logged):
            self.check()

    def _measure(self, metrics: dict[str, float]) -> None:
        live, objective = self._live, self._settings.objective
        metrics = self._settings.derived.add(metrics, live.model)
        found = judge(objective, metrics, live.epoch)
        if found.finite and math.isclose(found.cost, live.best.cost, rel_tol=1e-6):
            return  # what the epochs say already
        live.best = found
        self._emit(Measured(self._trial, self._run, live.epoch, metrics))

    def _newest_counts(self, metrics: dict[str, float]) -> bool:
        """Whether the weights of this epoch are kept, even if it is not the best."""
        name = self._settings.objective.name
        if name not in metrics:
            return not self._live.best.finite  # the score comes when the training is over
        return self._settings.scoring.last > 0 and math.isfinite(metrics[name])

    def _is_due(self, last: float) -> bool:
        """Tells whether one more epoch like the last one would be too much to lose."""
        since = time.perf_counter() - self._saved
        return since + last > self._settings.checkpoint_every
