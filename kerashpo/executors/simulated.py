"""Learning curves on a virtual clock: any number of workers, no training, no waiting."""

from __future__ import annotations

import heapq
import math
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

from kerashpo.core.errors import InvalidInput, require_integer
from kerashpo.core.events import Reached, Reported
from kerashpo.core.records import Config, Decision, Failure, Report
from kerashpo.executors.base import Executor
from kerashpo.executors.messages import Failed, Message, WorkItem

Evaluate = Callable[[dict[str, Any], int], tuple[float, float]]


@dataclass(slots=True)
class _Run:
    """A trial on a worker.

    Attributes:
        task: what it works on.
        config: what the problem gets.
        epoch: the epoch that is being trained.
        value: what that epoch will report.
        seconds: the trial's own training time at its end.
        failure: why it will fail instead.
    """

    task: WorkItem
    config: dict[str, Any]
    epoch: int
    value: float = math.nan
    seconds: float = 0.0
    failure: Failure | None = None


@final
class SimulatedExecutor(Executor):
    """Plays learning curves on a clock that jumps from one epoch's end to the next.

    Deterministic: epochs that end at the same instant are told in the order in which they
    began. Times that fall within a curve are held at their maximum so far.

    Args:
        evaluate: the value of a configuration after an epoch, and the seconds of training
            up to it (both of one trial). An exception fails the trial.
        metric: the name under which values are reported.
        realise: turns a stored configuration into what `evaluate` gets.
        workers: how many trials train at once.

    Raises:
        InvalidInput: if `workers` is no whole number of at least 1.
    """

    def __init__(
        self,
        evaluate: Evaluate,
        metric: str,
        realise: Callable[[Config], dict[str, Any]],
        workers: int = 1,
    ) -> None:
        self._evaluate, self._metric, self._realise = evaluate, metric, realise
        self._workers = require_integer("workers", workers, 1)
        self._clock = 0.0
        self._count = 0
        self._due: list[tuple[float, int, _Run]] = []
        self._trained: dict[int, tuple[int, float]] = {}
        self._running: set[int] = set()
        self._told: int | None = None
        self._decision = Decision.CONTINUE

    def submit(self, tasks: Sequence[WorkItem]) -> None:
        for task in tasks:
            epoch, _ = self._trained.get(task.trial, (0, 0.0))
            self._train(_Run(task, self._realise(task.config), epoch + 1))

    def free(self) -> int:
        return self._workers - len(self._due)

    def poll(self, handle: Callable[[Message], None], timeout: float | None = None) -> None:
        if not self._due:
            return
        at, _, run = heapq.heappop(self._due)
        self._clock = max(self._clock, at)
        self._running.discard(run.task.trial)
        self._told, self._decision = run.task.trial, Decision.CONTINUE
        self._tell(run, handle)
        self._told = None

    def decide(self, trial: int, decision: Decision) -> None:
        if trial == self._told:
            self._decision = decision
        elif trial in self._running and decision is not Decision.CONTINUE:
            self._running.discard(trial)
            self._due = [entry for entry in self._due if entry[2].task.trial != trial]
            heapq.heapify(self._due)

    def now(self) -> float:
        return self._clock

    def close(self) -> None:
        self._due = []

    def _tell(self, run: _Run, handle: Callable[[Message], None]) -> None:
        trial = run.task.trial
        if run.failure is not None:
            handle(Failed(trial, run.failure))
            return
        if run.epoch <= run.task.until:
            self._trained[trial] = (run.epoch, run.seconds)
            metrics = {self._metric: run.value}
            handle(Reported(Report(trial, 0, run.epoch, metrics, run.seconds)))
            if self._decision is not Decision.CONTINUE:
                return
        if run.epoch >= run.task.until:
            handle(Reached(trial))
            return
        run.epoch += 1
        self._train(run)

    def _train(self, run: _Run) -> None:
        """Looks up the next epoch and puts its end on the clock."""
        _, spent = self._trained.get(run.task.trial, (0, 0.0))
        run.seconds = spent
        if run.epoch <= run.task.until:
            self._look_up(run, spent)
        self._count += 1
        self._running.add(run.task.trial)
        heapq.heappush(self._due, (self._clock + run.seconds - spent, self._count, run))

    def _look_up(self, run: _Run, spent: float) -> None:
        try:
            value, seconds = self._evaluate(run.config, run.epoch)
            run.value, seconds = float(value), float(seconds)
        except InvalidInput:
            raise
        except Exception as error:  # whatever the user's problem raises fails its trial
            message = f"{type(error).__name__}: {error}"
            run.failure = Failure("fit", message, traceback.format_exc())
            return
        if not math.isfinite(seconds):
            raise InvalidInput(
                "evaluate must return (value, seconds) with finite seconds of training up to "
                f"that epoch. Received: seconds={seconds!r} at epoch {run.epoch}."
            )
        run.seconds = max(spent, seconds)
