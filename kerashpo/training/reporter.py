"""Reports the epochs of one run and keeps its best weights."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, final

import keras

from kerashpo.core.errors import UnusableResult, nearest
from kerashpo.core.events import Measured, Reported
from kerashpo.core.limits import violation
from kerashpo.core.objective import Best, judge
from kerashpo.core.records import Decision, Report
from kerashpo.executors.base import Emit
from kerashpo.executors.messages import Saving
from kerashpo.training.energy import Meter, SharedClock, UsageClock
from kerashpo.training.loops.user_fit import as_epochs, as_metrics, as_runs, is_curve, mean
from kerashpo.training.preflight import never_validated
from kerashpo.training.settings import Settings
from kerashpo.training.trial_state import TrialState


@final
class EpochReporter:
    """Reports each epoch of a run, and has its best weights and checkpoints saved.

    Args:
        state: the state of the trial in memory.
        place: trial number and run.
        settings: the settings of the search.
        emit: sends a message and returns the answer.
        grow: reports new parameters that the user's code declared.
        save: writes a checkpoint.
        complete: whether every epoch logs all metrics, so that an objective missing from the first
            epoch is an error.
        validation_freq: after which epochs the model is validated, None if it never is.
        last: the epoch of a score that the user's own code returns, None for the next epoch.
        meter: a further meter of energy.
        clock: the run's share of the time; None for a run that is trained alone.
        keep: takes over the weights of an epoch; None to read those of the model.

    Attributes:
        answer: the last answer to an epoch.
    """

    def __init__(
        self,
        state: TrialState,
        place: tuple[int, int],
        settings: Settings,
        emit: Emit,
        grow: Callable[[Any], None],
        save: Callable[[], None],
        complete: bool = False,
        validation_freq: Any = None,
        last: int | None = None,
        meter: Meter | None = None,
        clock: SharedClock | None = None,
        keep: Callable[[], None] | None = None,
    ) -> None:
        self.answer = Decision.CONTINUE
        self._state, self._settings, self._emit = state, settings, emit
        self._judged = settings.judged
        self._trial, self._run = place
        self._grow, self._save, self._complete = grow, save, complete
        self._first, self._before = state.epoch + 1, state.seconds
        self._last = last or self._first
        self._shared, self._saved = clock, state.seconds
        self._began, self._clock = time.perf_counter(), UsageClock(meter=meter)
        self._used_before, self._keep = state.usage, keep
        self._logged: list[str] = []
        self._validation_freq = validation_freq

    def on_epoch(self, epoch: int, metrics: dict[str, float]) -> bool:
        """Reports an epoch, counted from 1; returns whether the training should end."""
        before = self._state.seconds
        self.answer = self._report(epoch, metrics)
        if self.answer is Decision.CONTINUE and self._is_due(self._state.seconds - before):
            self.answer = self._emit(Saving(self._trial))
            self._save()
            wall = self._before + time.perf_counter() - self._began
            self._saved = wall if self._shared is None else self._state.seconds
        return self.answer is not Decision.CONTINUE

    def _report(self, epoch: int, metrics: dict[str, float]) -> Decision:
        """Records an epoch and reports it; returns the answer."""
        state, settings = self._state, self._settings
        if self._shared is None:
            seconds, usage = time.perf_counter() - self._began, self._clock.read()
        else:
            seconds, usage = self._shared.read()
        state.epoch, state.seconds = epoch, self._before + seconds
        state.usage = self._used_before + usage
        state.stopped = bool(state.model.stop_training)
        self._grow(state.hp)
        metrics = settings.derived.add(metrics, state.model, state.untrained, state.usage)
        self._logged = list(metrics)
        report = Report(self._trial, self._run, epoch, metrics, state.seconds)
        state.note_best(self._judge(metrics, epoch), self._newest_counts(metrics), self._keep)
        if self._complete and not (state.best.finite and state.best.violation < math.inf):
            self._check_first()
        return self._emit(Reported(report))

    def take(self, result: Any, where: str) -> None:
        """Records the return value of a training loop written by the user.

        A History may contain epochs that no callback reported; a number or dict is the score,
        recorded separately if it differs from the reported epochs.

        Raises:
            UnusableResult: for another type, or if the objective is missing.
        """
        self._grow(self._state.hp)
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
            results = [as_metrics(one, name, where, required) for one in as_runs(result, where)]
            if self._logged:
                self._measure(mean(results))
                return
            epochs = [(self._last, mean(results))]
        # These epochs are over: a pause comes too late, and a checkpoint would hold the last one.
        for epoch, metrics in epochs:
            if self._report(epoch, metrics) is Decision.STOP:
                return

    def check(self) -> None:
        """Raises UnusableResult if no epoch logged the objective, or one that a limit is on."""
        name, logged = self._settings.objective.name, self._logged
        self._check_limits()
        if logged and name not in logged and not self._state.best.finite:
            if name.startswith("val_") and self._validation_freq not in (None, 1):
                epoch = self._state.epoch
                raise UnusableResult(never_validated(name, self._validation_freq, epoch))
            raise UnusableResult(
                f"The model does not log the objective {name!r}.{nearest(name, logged)} "
                f"It logs: {', '.join(logged)}."
            )

    def _check_limits(self) -> None:
        best = self._state.best
        if not best.finite or best.violation < math.inf:
            return
        for limit in self._judged:
            if self._logged and limit.name not in self._logged:
                raise UnusableResult(
                    f"The model does not log {limit.name!r}, which is limited."
                    f"{nearest(limit.name, self._logged)} It logs: {', '.join(self._logged)}."
                )

    def _judge(self, metrics: dict[str, float], epoch: int) -> Best:
        broken = violation(self._judged, metrics) if self._judged else 0.0
        return judge(self._settings.objective, metrics, epoch, broken)

    def _check_first(self) -> None:
        """Checks for the objective after the first validation, if it is measured there."""
        held_out = self._settings.objective.name.startswith("val_")
        if not held_out or any(name.startswith("val_") for name in self._logged):
            self.check()

    def _measure(self, metrics: dict[str, float]) -> None:
        state = self._state
        derived = self._settings.derived
        metrics = derived.add(metrics, state.model, state.untrained, state.usage)
        found = self._judge(metrics, state.epoch)
        if found.finite and math.isclose(found.cost, state.best.cost, rel_tol=1e-6):
            return  # already in the logs of the epochs
        state.best = found
        self._emit(Measured(self._trial, self._run, state.epoch, metrics))

    def _newest_counts(self, metrics: dict[str, float]) -> bool:
        """Whether the weights of this epoch are kept even if it is not the best."""
        name = self._settings.objective.name
        if name not in metrics:
            return not self._state.best.finite  # the score is only known after the training
        return self._settings.scoring.last > 0 and math.isfinite(metrics[name])

    def _is_due(self, last: float) -> bool:
        """Returns whether a checkpoint is due before another epoch as long as the last one."""
        since = self._state.seconds - self._saved
        return since + last > self._settings.checkpoint_every
