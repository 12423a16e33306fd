"""A runner that evaluates a function of configuration and epoch instead of training."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeAlias, final

import numpy as np

from kerashpo.core.events import Ended, Reached, Reported
from kerashpo.core.records import Config, Decision, Failure, Report, Start, Status
from kerashpo.executors.base import Emit, Executor, Runner
from kerashpo.executors.messages import Failed, Message, Saving, WorkItem
from kerashpo.store.base import Blobs
from kerashpo.store.trial_checkpoints import Origin, RunCheckpoints, free_checkpoints

Curve: TypeAlias = Callable[[Config, int], "float | Mapping[str, float] | None"]
"""The objective (or all metrics) of a configuration after a number of epochs, from 1.

None ends the trial as early stopping does; an exception fails it.
"""

Done: TypeAlias = Mapping[tuple[int, int], int]
"""For each (trial, run) the last epoch with a stored state: the content of checkpoints."""

METRIC = "value"
"""The name of a bare number of a `Curve`."""


def messages(curve: Curve, item: WorkItem, done: Callable[[int], int | None]) -> Iterator[Message]:
    """Yields the messages of a worker that trains every run of an item, one after another.

    Args:
        curve: the function to evaluate.
        item: the work item.
        done: returns how many epochs of a run are trained already; None for a fork whose
            parent left no checkpoint.
    """
    *first, last = item.runs()
    for run in (*first, last):
        for message in _run_messages(curve, item, done(run), run):
            if isinstance(message, Reached) and run != last:
                continue  # further runs follow
            yield message
            if isinstance(message, (Failed, Ended)):
                return


def _run_messages(curve: Curve, task: WorkItem, done: int | None, run: int) -> Iterator[Message]:
    """Yields the messages of a worker that trains a run of a task from epoch `done` on.

    Every epoch takes one second of the trial's own time; a fork's time begins at its origin.
    """
    if done is None:
        text = f"the state that it starts from (trial, epoch) is gone: {task.origin}"
        yield Failed(task.trial, Failure("refused", text))
        return
    began = 0 if task.origin is None else task.origin[1]
    for epoch in range(done + 1, task.until + 1):
        try:
            value = curve(task.config, epoch)
        except Exception as error:  # like training that raises
            yield Failed(task.trial, Failure("fit", f"{type(error).__name__}: {error}"))
            return
        if value is None:
            yield Ended(task.trial, Status.COMPLETED, "early stopping")
            return
        metrics = value if isinstance(value, Mapping) else {METRIC: value}
        yield Reported(Report(task.trial, run, epoch, metrics, float(epoch - began)))
    yield Reached(task.trial)


def wave(config: Config, epoch: int) -> float:
    """A curve to minimise that changes the order of configurations as it falls."""
    height = math.fsum(_number(name, value) for name, value in config.items())
    return math.sin(height) + (2.0 + math.cos(7 * height)) / epoch


OTHER = "other"
"""The name of the second objective of `two_waves`."""


def two_waves(config: Config, epoch: int) -> Mapping[str, float]:
    """Two objectives to minimise: a wave, and one that is low where the wave is high."""
    height = math.fsum(_number(name, value) for name, value in config.items())
    return {METRIC: wave(config, epoch), OTHER: math.cos(2.0 * height) + 1.0 / epoch}


def _number(name: str, value: object) -> float:
    if isinstance(value, (int, float)):
        return len(name) * float(value)
    return float(sum(map(ord, str(value)))) / 7


@final
class CurveRunner(Runner):
    """Evaluates a `Curve` as if it trained; its checkpoint is the number of the last epoch.

    A fork continues on the curve of its own configuration, if its parent's checkpoint exists.

    Args:
        curve: the function to evaluate.
        blobs: where checkpoints are stored, for other processes to find; None keeps them in
            this process.
        together: whether several items are trained together, an epoch of each in turn.
        done: what was trained before, if there are no `blobs`.

    Attributes:
        trained: every (trial, epoch) in the order of training, repeats included.
        freed: the trials whose checkpoints were freed, in that order.
    """

    def __init__(
        self,
        curve: Curve = wave,
        blobs: Blobs | None = None,
        together: bool = False,
        done: Done | None = None,
    ) -> None:
        self._curve, self._blobs, self._together = curve, blobs, together
        self._done = dict(done or {})
        self._job_ends: dict[tuple[int, int], int] = {}
        self.trained: list[tuple[int, int]] = []
        self.freed: list[int] = []

    def train(self, item: WorkItem, emit: Emit) -> None:
        self.run([item], emit)

    def run(self, items: Sequence[WorkItem], emit: Emit) -> None:
        running = [self._steps(item, emit) for item in items]
        while running:
            running = [steps for steps in running if next(steps)]

    def trace_signature(self, item: WorkItem) -> Hashable | None:
        return "any curve" if self._together else None

    def _steps(self, item: WorkItem, emit: Emit) -> Iterator[bool]:
        """Trains an item, an epoch per step; yields whether more remains."""

        def done(run: int) -> int | None:
            found = 0 if isinstance(item.job, Start) else self._epochs_done(item, run)
            self._job_ends[item.trial, run] = found or 0
            return found

        for message in messages(self._curve, item, done):
            if isinstance(message, Reported):
                self.trained.append((item.trial, message.report.epoch))
            answer = emit(message)
            if isinstance(message, Reported):
                self._save(item, message, emit)
            if answer is not Decision.CONTINUE:
                break
            yield True
        yield False

    def free(self, trial: int) -> None:
        self.drop(trial)
        self.freed.append(trial)
        if self._blobs is not None:
            free_checkpoints(self._blobs, trial)

    def drop(self, trial: int) -> None:
        self._done = {key: done for key, done in self._done.items() if key[0] != trial}

    def _save(self, item: WorkItem, message: Reported, emit: Emit) -> None:
        trial, run, epoch = message.trial, message.report.run, message.report.epoch
        self._done[trial, run] = epoch
        if self._blobs is not None:
            emit(Saving(trial))
            stored = RunCheckpoints(self._blobs, trial, run, item.origin)
            stored.put(epoch, str(epoch).encode(), self._job_ends[trial, run])

    def _epochs_done(self, item: WorkItem, run: int) -> int | None:
        """Returns the epoch that a run continues from; None if its parent has no checkpoint."""
        if self._blobs is None or (item.trial, run) in self._done:
            return _trained(item, run, self._done)
        stored = RunCheckpoints(self._blobs, item.trial, run, item.origin)
        state = next(stored.newest_first(), None)
        if state is None and item.origin is not None:
            state = stored.parent_state()
            return None if state is None else int(state)
        return int(state or 0)


def _trained(item: WorkItem, run: int, done: Done) -> int | None:
    """Returns the epoch a run continues from; None for a fork of a trial not trained that far.

    Args:
        item: the work item.
        run: the run's number.
        done: the epochs trained before.
    """
    if (item.trial, run) in done or item.origin is None:
        return done.get((item.trial, run), 0)
    parent, at = item.origin
    return at if done.get((parent, run), 0) >= at else None


@final
class InterleavedExecutor(Executor):
    """Simulates several workers: each poll advances one running trial, drawn at random.

    The clock is virtual: a message takes a second.

    Args:
        curve: the function to evaluate.
        workers: how many tasks run at the same time.
        order: draws which worker sends the next message.
        done: the epochs trained before.
    """

    def __init__(
        self,
        curve: Curve,
        workers: int,
        order: np.random.Generator,
        done: Done | None = None,
    ) -> None:
        self._curve, self._workers, self._order = curve, workers, order
        self._speakers: dict[int, Iterator[Message]] = {}
        self._done = dict(done or {})
        self._clock = 0.0

    def submit(self, tasks: Sequence[WorkItem]) -> None:
        for task in tasks:
            self._speakers[task.trial] = messages(self._curve, task, partial(self._run_at, task))

    def secure(self, origins: Mapping[int, Origin]) -> None:
        for fork, (parent, at) in origins.items():
            for (trial, run), last in [*self._done.items()]:
                if trial == parent and last >= at:
                    self._done.setdefault((fork, run), at)

    def _run_at(self, item: WorkItem, run: int) -> int | None:
        return 0 if isinstance(item.job, Start) else _trained(item, run, self._done)

    def free(self) -> int:
        return self._workers - len(self._speakers)

    def poll(self, handle: Callable[[Message], None], timeout: float | None = None) -> None:
        if not self._speakers:
            return
        trial = list(self._speakers)[int(self._order.integers(len(self._speakers)))]
        message = next(self._speakers[trial])
        self._clock += 1.0
        if isinstance(message, Reported):
            self._done[trial, message.report.run] = message.report.epoch
        else:
            del self._speakers[trial]
        handle(message)

    def decide(self, trial: int, decision: Decision) -> None:
        if decision is not Decision.CONTINUE:
            self._speakers.pop(trial, None)
        if decision is Decision.STOP:
            self._done = {key: done for key, done in self._done.items() if key[0] != trial}

    def now(self) -> float:
        return self._clock

    def close(self) -> None:
        self._speakers.clear()
