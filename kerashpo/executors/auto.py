"""Begins in this process, and goes over to worker processes once they pay."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import final

from kerashpo.core.errors import InvalidInput, WorkerLost
from kerashpo.core.records import Decision
from kerashpo.executors.base import Executor
from kerashpo.executors.hiring import Pace, weigh
from kerashpo.executors.messages import Epoch, Message, Note, Task
from kerashpo.executors.processes import ProcessExecutor


@final
class AutoExecutor(Executor):
    """Trains here while worker processes would not pay, or are not up yet.

    The trials that paused here go on there from their checkpoints, which must be reachable
    from every process. Workers that cannot start cost nothing but a note: it stays here.

    Args:
        here: trains in this process.
        hire: builds the worker processes, not started; called once they pay.
        workers: how many they are.
        capacity: how many processes of one core (or GPU) the machine can run at full speed.
        left: returns how many epochs are left, inf where unknown.
        patience: tasks trained here before anything is measured: the first one builds what
            later ones share.
    """

    def __init__(
        self,
        here: Executor,
        hire: Callable[[], ProcessExecutor],
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
        self._there: ProcessExecutor | None = None
        self._settled = False

    def submit(self, tasks: Sequence[Task]) -> None:
        self._now.submit(tasks)

    def free(self) -> int:
        return self._now.free()

    def busy(self) -> int:
        return self._now.busy()

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
            handle(Note(trial, {"workers": 1, "workers_reason": reason}))

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
        """Trains a task here; returns its trial, None where there was none."""
        epochs, last = 0, None

        def listen(message: Message) -> None:
            nonlocal epochs, last
            last = message.trial
            epochs += isinstance(message, Epoch)
            handle(message)

        began, cpu = time.perf_counter(), time.process_time()
        self._here.poll(listen, timeout)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        if last is not None and self._patience > 0:
            self._patience -= 1
        elif epochs:
            self._pace = self._pace.plus(epochs, seconds, cpu)
        return last

    def _consider(self, handle: Callable[[Message], None], trial: int) -> None:
        offer = weigh(self._pace, self._left(), self._workers, self._capacity)
        if offer is None or not offer.pays:
            return
        self._there = self._hire()
        self._there.start()
        handle(Note(trial, {"workers": offer.workers, "workers_reason": str(offer)}))

    def _go_over(self, handle: Callable[[Message], None], there: ProcessExecutor) -> None:
        """Goes over once all workers are up; this process trains on until then."""
        there.poll(handle, timeout=0.0)
        if there.ready == self._workers:
            self._here.close()
            self._here = self._now = there
            self._settled = True
