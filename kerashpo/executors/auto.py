"""The automatic executor: starts in this process, and switches to worker processes if faster."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

from kerashpo.core.errors import InvalidInput, WorkerLost
from kerashpo.core.events import Noted, Reported
from kerashpo.core.records import Decision
from kerashpo.executors.base import Executor
from kerashpo.executors.messages import Message, WorkItem
from kerashpo.executors.pool.worker_pool import WorkerPool
from kerashpo.store.trial_checkpoints import Origin

START_SECONDS: Final = 8.0
"""Seconds that a worker needs before it trains: imports, and tracing graphs again."""
_ENOUGH: Final = 20
"""Epochs measured before the first decision."""
_SLOWEST: Final = 5.0
"""Upper bound of the factor by which a busy machine slows the workers' start."""
_MARGIN: Final = 0.8
"""Workers must take at most this share of the time that this process would take."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The measured training speed of this process.

    Attributes:
        epochs: how many epochs were measured.
        seconds: their wall time.
        cpu: their processor time in seconds, over all cores.
    """

    epochs: int = 0
    seconds: float = 0.0
    cpu: float = 0.0

    def plus(self, epochs: int, seconds: float, cpu: float) -> Pace:
        """Returns the pace with more epochs measured."""
        return Pace(self.epochs + epochs, self.seconds + seconds, self.cpu + cpu)


@dataclass(frozen=True, slots=True)
class Offer:
    """Estimated remaining time with and without worker processes.

    Attributes:
        workers: the number of worker processes.
        epoch: seconds per epoch in this process.
        left: remaining epochs, inf if unknown.
        here: remaining seconds in this process.
        there: remaining seconds in worker processes, their start included.
    """

    workers: int
    epoch: float
    left: float
    here: float
    there: float

    @property
    def pays(self) -> bool:
        """Whether starting worker processes saves time."""
        return self.here == math.inf or self.there < _MARGIN * self.here

    def __str__(self) -> str:
        left = "epochs without end are" if self.left == math.inf else f"{self.left:.0f} epochs are"
        times = ""
        if self.left < math.inf:
            times = f": about {self.there:.0f} s instead of {self.here:.0f} s"
        return (
            f"{self.workers} worker processes from here on: an epoch takes {self.epoch:.2g} s and "
            f"{left} left{times}"
        )


def weigh(pace: Pace, left: float, workers: int, capacity: float) -> Offer | None:
    """Returns the estimate with worker processes, None until enough epochs were measured.

    A process that uses several cores gains less: the speed-up is at most the capacity divided by
    its current use. If other programs compete with this process for a core, workers will
    start more slowly too.

    Args:
        pace: the pace measured in this process.
        left: remaining epochs; inf if unknown.
        workers: the number of processes.
        capacity: how many processes of one core (or GPU) the machine can run at full speed.
    """
    if pace.epochs < _ENOUGH or pace.seconds <= 0.0 or workers < 2:
        return None
    used = max(1.0, pace.cpu / pace.seconds)
    start = START_SECONDS * min(_SLOWEST, max(1.0, pace.seconds / max(pace.cpu, 1e-9)))
    speedup = max(1.0, min(workers, capacity / used))
    epoch = pace.seconds / pace.epochs
    here = left * epoch
    if speedup == 1.0:
        return Offer(workers, epoch, left, 0.0, start)
    return Offer(workers, epoch, left, here, start + here / speedup)


@final
class AutoExecutor(Executor):
    """Trains in this process while worker processes would not pay off or are not ready yet.

    Trials that paused here continue in a worker from their checkpoints, which must be reachable
    from every process. If workers cannot start, a note is recorded and training stays here.

    Args:
        here: the executor of this process.
        hire: builds the worker pool without starting it; called once it pays off.
        workers: the number of workers.
        capacity: how many processes of one core (or GPU) the machine can run at full speed.
        left: returns the number of remaining epochs, inf if unknown.
        patience: tasks trained here before measuring starts: the first one builds what later
            ones share.
    """

    def __init__(
        self,
        here: Executor,
        hire: Callable[[], WorkerPool],
        workers: int,
        capacity: float,
        left: Callable[[], float],
        patience: int = 1,
    ) -> None:
        self._here, self._hire = here, hire
        self._workers, self._capacity, self._left = workers, capacity, left
        self._patience = patience
        self._pace = Pace()
        self._now: Executor = here
        self._there: WorkerPool | None = None
        self._settled = False

    def submit(self, tasks: Sequence[WorkItem]) -> None:
        self._now.submit(tasks)

    def secure(self, origins: Mapping[int, Origin]) -> None:
        self._now.secure(origins)

    def free(self) -> int:
        return self._now.free()

    def busy(self) -> int:
        return self._now.busy()

    def assignments(self) -> Mapping[int, int]:
        return self._now.assignments()

    def poll(self, handle: Callable[[Message], None], timeout: float | None = None) -> None:
        if self._settled:
            self._now.poll(handle, timeout)
            return
        trial = self._measure(handle, timeout)
        if trial is None:
            return
        try:
            if self._there is None:
                self._consider(handle, trial)
            else:
                self._go_over(handle, self._there)
        except (InvalidInput, WorkerLost) as error:
            self._settled = True
            reason = f"this process alone: {str(error).splitlines()[0]}"
            handle(Noted(trial, {"workers": 1, "workers_reason": reason}))

    def decide(self, trial: int, decision: Decision) -> None:
        self._now.decide(trial, decision)

    def now(self) -> float:
        return time.perf_counter()

    def close(self) -> None:
        try:
            self._here.close()
        finally:
            if self._there is not None:
                self._there.close()

    def _measure(self, handle: Callable[[Message], None], timeout: float | None) -> int | None:
        """Trains a task here and measures it; returns its trial, None if there was none.

        What counts is the time between a trial's epochs: before its first the model is built and
        its graphs may be traced, which later trials share. Tasks of one epoch count as a whole.
        """
        last, seen, between = None, set[int](), Pace()
        began = mark = _clock()

        def listen(message: Message) -> None:
            nonlocal last, mark, between
            last = message.trial
            if isinstance(message, Reported):
                before, mark = mark, _clock()
                if message.trial in seen:
                    between = between.plus(1, mark[0] - before[0], mark[1] - before[1])
                seen.add(message.trial)
            handle(message)

        self._here.poll(listen, timeout)
        now = _clock()
        if last is not None and self._patience > 0:
            self._patience -= 1
        elif between.epochs:
            self._pace = self._pace.plus(between.epochs, between.seconds, between.cpu)
        elif seen:
            self._pace = self._pace.plus(len(seen), now[0] - began[0], now[1] - began[1])
        return last

    def _consider(self, handle: Callable[[Message], None], trial: int) -> None:
        offer = weigh(self._pace, self._left(), self._workers, self._capacity)
        if offer is None or not offer.pays:
            return
        self._there = self._hire()
        self._there.start()
        handle(Noted(trial, {"workers": offer.workers, "workers_reason": str(offer)}))

    def _go_over(self, handle: Callable[[Message], None], there: WorkerPool) -> None:
        """Switches once all workers are ready; until then this process continues training."""
        there.poll(handle, timeout=0.0)
        if there.ready == self._workers:
            self._here.close()
            self._here = self._now = there
            self._settled = True


def _clock() -> tuple[float, float]:
    """Returns wall and processor seconds."""
    return time.perf_counter(), time.process_time()
