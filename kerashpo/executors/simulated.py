"""The simulated executor: learning curves on a virtual clock, without training or waiting."""

from __future__ import annotations

import heapq
import math
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, final

from kerashpo.core.errors import InvalidInput, require_integer
from kerashpo.core.events import Reached, Reported
from kerashpo.core.records import Config, Decision, Failure, Report
from kerashpo.executors.base import Executor
from kerashpo.executors.failures import REFUSED
from kerashpo.executors.messages import Failed, Message, WorkItem
from kerashpo.store.trial_checkpoints import Origin

Value: TypeAlias = "float | Mapping[str, float]"
"""The value of the only metric, or metrics by name."""

Evaluate: TypeAlias = "Callable[[dict[str, Any], int], tuple[Value, float]]"
"""Value of a configuration after an epoch, and the seconds of training up to it."""

Advance: TypeAlias = "Callable[[Any, dict[str, Any]], tuple[Any, Value, float]]"
"""Trains one epoch from a state (None at first): next state, value, seconds of the epoch."""


@dataclass(slots=True)
class _Progress:
    """How far a trial has been trained.

    Attributes:
        epoch: its last epoch.
        seconds: its own training time.
        before: the seconds of its curve before a fork's first epoch; None until looked up.
        states: for each epoch the problem's state, if it has one.
    """

    epoch: int = 0
    seconds: float = 0.0
    before: float | None = 0.0
    states: dict[int, Any] = field(default_factory=lambda: {0: None})


@dataclass(slots=True)
class _Run:
    """A trial running on a simulated worker.

    Attributes:
        task: its work item.
        config: the configuration that the problem receives.
        epoch: the epoch that is being trained.
        metrics: what this epoch will report.
        seconds: the trial's own training time at the end of the epoch.
        state: the problem's state then.
        failure: why the epoch will fail instead.
    """

    task: WorkItem
    config: dict[str, Any]
    epoch: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    state: Any = None
    failure: Failure | None = None


@final
class SimulatedExecutor(Executor):
    """Replays learning curves on a virtual clock that jumps from one epoch's end to the next.

    Deterministic: epochs that end at the same time are reported in the order in which they
    began. Decreasing times within a curve are replaced by their maximum so far.

    With `advance` a fork starts from its parent's state. Without it a fork continues on the
    curve of its own configuration, from the epoch after the one that it was forked at.

    Args:
        evaluate: the value of a configuration after an epoch, and the seconds of training
            up to it (both of one trial). An exception fails the trial.
        metrics: the names of the metrics that a mapping must hold; the first is that of a value
            which is a number. One name may be passed as it is.
        realise: converts a stored configuration to the argument of `evaluate`.
        workers: how many trials train in parallel.
        advance: trains one epoch from a state, if curves depend on more than the current
            configuration; called instead of `evaluate`. It must not change states in place.

    Raises:
        InvalidInput: if `workers` is not a whole number of at least 1.
    """

    def __init__(
        self,
        evaluate: Evaluate,
        metrics: str | Sequence[str],
        realise: Callable[[Config], dict[str, Any]],
        workers: int = 1,
        advance: Advance | None = None,
    ) -> None:
        self._evaluate, self._realise = evaluate, realise
        self._metrics = (metrics,) if isinstance(metrics, str) else tuple(metrics)
        self._advance = advance
        self._workers = require_integer("workers", workers, 1)
        self._clock = 0.0
        self._count = 0
        self._due: list[tuple[float, int, _Run]] = []
        self._progress: dict[int, _Progress] = {}
        self._running: set[int] = set()
        self._reporting: int | None = None
        self._decision = Decision.CONTINUE

    def submit(self, tasks: Sequence[WorkItem]) -> None:
        for task in tasks:
            config = self._realise(task.config)
            if task.trial not in self._progress and not self._begin(task.trial, task.origin):
                text = f"The state that the trial starts from (trial, epoch) is gone: {task.origin}"
                self._schedule(_Run(task, config, 0, failure=Failure(REFUSED, text)), 0.0)
                continue
            self._train(_Run(task, config, self._progress[task.trial].epoch + 1))

    def secure(self, origins: Mapping[int, Origin]) -> None:
        for fork, origin in origins.items():
            if fork not in self._progress:
                self._begin(fork, origin)

    def free(self) -> int:
        return self._workers - len(self._due)

    def poll(self, handle: Callable[[Message], None], timeout: float | None = None) -> None:
        if not self._due:
            return
        at, _, run = heapq.heappop(self._due)
        self._clock = max(self._clock, at)
        self._running.discard(run.task.trial)
        self._reporting, self._decision = run.task.trial, Decision.CONTINUE
        self._report(run, handle)
        self._reporting = None
        if self._decision is Decision.STOP:
            self._progress.pop(run.task.trial, None)

    def decide(self, trial: int, decision: Decision) -> None:
        if trial == self._reporting:
            self._decision = decision
            return
        if trial in self._running and decision is not Decision.CONTINUE:
            self._running.discard(trial)
            self._due = [entry for entry in self._due if entry[2].task.trial != trial]
            heapq.heapify(self._due)
        if decision is Decision.STOP:
            self._progress.pop(trial, None)

    def now(self) -> float:
        return self._clock

    def close(self) -> None:
        self._due = []

    def _begin(self, trial: int, origin: Origin | None) -> bool:
        """Sets where a trial begins; returns False for a fork whose parent has no such state."""
        if origin is None:
            self._progress[trial] = _Progress()
            return True
        number, at = origin
        parent = self._progress.get(number)
        if parent is None or parent.epoch < at:
            return False
        states = {at: parent.states.get(at)}
        self._progress[trial] = _Progress(at, before=None, states=states)
        return True

    def _report(self, run: _Run, handle: Callable[[Message], None]) -> None:
        trial = run.task.trial
        if run.failure is not None:
            handle(Failed(trial, run.failure))
            return
        if run.epoch <= run.task.until:
            progress = self._progress[trial]
            progress.epoch, progress.seconds = run.epoch, run.seconds
            if self._advance is not None:
                progress.states[run.epoch] = run.state
            handle(Reported(Report(trial, 0, run.epoch, run.metrics, run.seconds)))
            if self._decision is not Decision.CONTINUE:
                return
        if run.epoch >= run.task.until:
            handle(Reached(trial))
            return
        run.epoch += 1
        self._train(run)

    def _train(self, run: _Run) -> None:
        """Looks up the next epoch and schedules its end."""
        progress = self._progress[run.task.trial]
        run.seconds = progress.seconds
        if run.epoch <= run.task.until:
            self._look_up(run, progress)
        self._schedule(run, run.seconds - progress.seconds)

    def _schedule(self, run: _Run, seconds: float) -> None:
        self._count += 1
        self._running.add(run.task.trial)
        heapq.heappush(self._due, (self._clock + seconds, self._count, run))

    def _look_up(self, run: _Run, progress: _Progress) -> None:
        """Sets value, time and state of the run's epoch, or its failure."""
        try:
            seconds = self._call(run, progress)
        except InvalidInput:
            raise
        except Exception as error:  # any exception of the user's problem fails its trial
            message = f"{type(error).__name__}: {error}"
            run.failure = Failure("fit", message, traceback.format_exc())
            return
        if not math.isfinite(seconds):
            raise InvalidInput(
                "evaluate must return (value, seconds) with finite seconds of training up to "
                f"that epoch. Received: seconds={seconds!r} at epoch {run.epoch}."
            )
        run.seconds = max(progress.seconds, seconds)

    def _call(self, run: _Run, progress: _Progress) -> float:
        """Evaluates an epoch of the problem; returns the trial's own training time at its end."""
        if self._advance is not None:
            before = progress.states[progress.epoch]
            run.state, value, seconds = self._advance(before, run.config)
            run.metrics = self._named(value)
            return progress.seconds + float(seconds)
        if progress.before is None:
            progress.before = float(self._evaluate(run.config, progress.epoch)[1])
        value, seconds = self._evaluate(run.config, run.epoch)
        run.metrics = self._named(value)
        return float(seconds) - progress.before

    def _named(self, value: Value) -> dict[str, float]:
        """Returns a value of the problem as metrics by name.

        Raises:
            InvalidInput: if a metric that counts is missing.
        """
        if not isinstance(value, Mapping):
            found = {self._metrics[0]: float(value)}
        else:
            found = {str(name): float(one) for name, one in value.items()}
        missing = [name for name in self._metrics if name not in found]
        if missing:
            raise InvalidInput(
                "evaluate must return (values, seconds), where values is a mapping that holds "
                f"{', '.join(self._metrics)}. Missing: {', '.join(missing)}. Received: {value!r}."
            )
        return found
