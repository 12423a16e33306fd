"""The worker pool: assigns tasks to long-lived workers and replaces lost ones."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import final

from kerashpo.core.errors import DiskFull, InvalidInput, WorkerLost
from kerashpo.core.events import Configured, Ended, Noted, Reached, Reported
from kerashpo.core.records import Decision, Resume
from kerashpo.executors.base import Executor, origins_of
from kerashpo.executors.fleet import Fleet
from kerashpo.executors.messages import Failed, Message, WorkItem
from kerashpo.executors.pool.losses import LIVES, LossCounter
from kerashpo.executors.pool.protocol import (
    Acknowledged,
    Answer,
    Broken,
    Drop,
    FromWorker,
    Idle,
    Quit,
    Ready,
)
from kerashpo.executors.pool.transport import Loss, Transport
from kerashpo.executors.pool.worker import Worker
from kerashpo.store.base import Blobs
from kerashpo.store.trial_checkpoints import Origin, secure_origins

_BATCH = 100
"""Messages of one worker that are handled before the next worker's."""
_GRACE = 5.0
"""Seconds that idle workers have to end after `Quit`."""


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """The pool's settings.

    Attributes:
        waits: whether workers wait for the decision after each epoch, as under a scheduler that
            declares `every_epoch`; otherwise decisions take effect when they arrive.
        ahead: how many seconds of epochs may be trained before they are in the log.
        timeout: seconds without a message (usually an epoch) after which a worker is ended
            and its trial continues in another one; None for no limit.
        max_memory: bytes; a worker that uses more is replaced between two trials.
    """

    waits: bool = False
    ahead: float = 1.0
    timeout: float | None = None
    max_memory: int | None = None


@final
class WorkerPool(Executor):
    """Assigns tasks to long-lived workers, which are started with the first task.

    A task is queued until a worker is idle; one that still has the trial in memory is
    preferred. A worker that is lost, hangs or uses too much memory is replaced, and its trial
    continues from its last checkpoint: the checkpoints must be reachable from every worker.


    Args:
        transport: starts the workers and carries messages.
        settings: the pool's settings.
        blobs: the workers' checkpoints as this process reaches them, for forks; None if they
            keep none.
    """

    def __init__(
        self,
        transport: Transport,
        settings: PoolSettings = PoolSettings(),
        blobs: Blobs | None = None,
    ) -> None:
        self._transport, self._settings, self._blobs = transport, settings, blobs
        self._workers: list[Worker] = []
        self._queue: deque[WorkItem] = deque()
        self._losses = LossCounter()
        self._opened = False

    def submit(self, tasks: Sequence[WorkItem]) -> None:
        self.secure(origins_of(tasks))
        self.start()
        self._queue.extend(tasks)
        self._hand_out()

    def secure(self, origins: Mapping[int, Origin]) -> None:
        secure_origins(self._blobs, origins)

    def free(self) -> int:
        workers = self._transport.workers if self._transport.certain else self.ready
        return max(0, workers - self.busy() - len(self._queue))

    def busy(self) -> int:
        return sum(worker.task is not None for worker in self._workers)

    def assignments(self) -> Mapping[int, int]:
        return {worker.trial: worker.number for worker in self._workers if worker.trial is not None}

    def nodes(self) -> Mapping[int, str]:
        return {worker.number: worker.link.node() for worker in self._workers}

    def fleet(self) -> Fleet | None:
        fleet = self._transport.fleet([worker.link for worker in self._workers])
        return None if fleet is None else replace(fleet, workers=self.ready)

    @property
    def ready(self) -> int:
        """The number of workers that have reported that they are ready."""
        return sum(worker.ready for worker in self._workers)

    @property
    def assigned(self) -> dict[Hashable, int | None]:
        """For the name of each worker (e.g. its process id) the trial that it works on."""
        return {worker.link.name: worker.trial for worker in self._workers}

    def start(self) -> None:
        """Starts the workers, if they are not started yet; does not wait for them."""
        if not self._opened:
            self._transport.open()
            self._opened = True
            self._fit()

    def poll(self, handle: Callable[[Message], None], timeout: float | None = None) -> None:
        if not self._transport.certain:
            self.start()  # a worker counts as free only once it is ready
        for worker in self._wait(timeout):
            self._receive(worker, handle)
        self._end_silent()
        self._fit()
        self._hand_out()

    def decide(self, trial: int, decision: Decision) -> None:
        if decision is Decision.CONTINUE:
            return
        self._queue = deque(task for task in self._queue if task.trial != trial)
        worker = self._at_work(trial)
        if worker is not None:
            worker.decision = decision
        elif decision is Decision.STOP:
            worker = self._holder(trial) or next((w for w in self._workers if w.ready), None)
        if worker is not None:
            worker.send(Answer(trial, decision))
        if decision is Decision.STOP:
            for other in self._workers:
                other.holds.discard(trial)

    def now(self) -> float:
        return time.perf_counter()

    def close(self) -> None:
        idle = [worker for worker in self._workers if worker.idle]
        for worker in idle:
            worker.send(Quit())
        try:
            deadline = time.perf_counter() + _GRACE
            for worker in idle:
                worker.link.join(max(0.0, deadline - time.perf_counter()))
        finally:  # also if Ctrl-C interrupts the waiting
            for worker in self._workers:
                worker.link.close()
            self._workers, self._opened = [], False
            self._transport.close()

    def _start(self, number: int) -> Worker:
        ahead = 0.0 if self._settings.waits else self._settings.ahead
        return Worker(number, self._transport.start(number, ahead))

    def _restart(self, worker: Worker) -> None:
        """Ends a worker and starts another one in its place, if there is still room for it."""
        worker.link.close()
        place = self._workers.index(worker)
        self._workers.remove(worker)
        if len(self._workers) < self._transport.workers:
            self._workers.insert(place, self._start(worker.number))

    def _fit(self) -> None:
        """Starts workers that the transport has room for, and ends idle ones that it has not."""
        if not self._opened:
            return
        room = self._transport.workers
        unused = [worker for worker in self._workers if worker.task is None]
        unused.sort(key=lambda worker: (worker.ready, bool(worker.holds)))
        for worker in unused[: max(0, len(self._workers) - room)]:
            worker.link.close()
            self._workers.remove(worker)
        while len(self._workers) < room:
            taken = {worker.number for worker in self._workers}
            number = next(n for n in count() if n not in taken)
            self._workers.append(self._start(number))

    def _wait(self, timeout: float | None) -> list[Worker]:
        """Waits until workers have sent a message or were lost; returns them."""
        if not self._opened or (self._transport.certain and not self._workers):
            return []
        starting = any(not worker.ready for worker in self._workers)
        limits = [timeout, self._settings.timeout]
        limits += [self._transport.start_limit] if starting else []
        shortest = min((limit for limit in limits if limit is not None), default=None)
        by_link = {id(worker.link): worker for worker in self._workers}
        links = self._transport.wait([worker.link for worker in self._workers], shortest)
        return [by_link[id(link)] for link in links]

    def _receive(self, worker: Worker, handle: Callable[[Message], None]) -> None:
        received = 0
        while received < _BATCH:
            try:
                message = worker.receive()
            except EOFError:
                self._replace_lost(worker, handle)
                return
            if message is None:
                break
            received += 1
            self._take(worker, message, handle)
        worker.send(Acknowledged(received))
        if worker.idle:
            self._check_memory(worker)

    def _take(self, worker: Worker, message: FromWorker, handle: Callable[[Message], None]) -> None:
        match message:
            case Ready():
                self._greet(worker)
            case Idle():
                worker.task = None
            case Broken(text, traceback, disk_full):
                if disk_full:
                    raise DiskFull(text)
                if text:
                    raise InvalidInput(text)
                raise WorkerLost(f"A worker failed outside any trial.\n{traceback}")
            case _:
                self._remember(worker, message)
                ends = isinstance(message, (Reached, Ended, Failed))
                worker.finished = worker.finished or ends
                # A stopped trial reports no more.
                if worker.decision is not Decision.STOP:
                    handle(message)

    def _remember(self, worker: Worker, message: Message) -> None:
        """Records the state that is needed if the worker is lost."""
        match message:
            case Configured(_, values) if worker.task is not None:
                config = {**worker.task.config, **values}
                worker.task = replace(worker.task, config=config)
            case Reported(report):
                self._losses.advance(report)

    def _greet(self, worker: Worker) -> None:
        worker.ready, self._losses.failed_starts = True, 0
        limit, taken = self._settings.max_memory, worker.link.memory()
        if limit is not None and taken > limit:
            raise InvalidInput(
                f"A worker takes {taken / 1e6:.0f} MB before it trains anything, more than "
                f"max_worker_memory ({limit / 1e6:.0f} MB). Raise it."
            )

    def _check_memory(self, worker: Worker) -> None:
        """Replaces an idle worker that uses too much memory; its trials have checkpoints."""
        limit = self._settings.max_memory
        if limit is not None and worker.link.memory() > limit:
            self._restart(worker)

    def _end_silent(self) -> None:
        """Ends workers that sent nothing for too long, while training or while starting."""
        for worker in self._workers:
            if worker.idle or worker.verdict is not None:
                continue
            limit, text = self._settings.timeout, "it reported no epoch for {:g} s (trial_timeout)"
            if not worker.ready:
                limit, text = self._transport.start_limit, "it was not ready {:g} s after its start"
            if limit is not None and time.perf_counter() - worker.since > limit:
                worker.end(Loss(text.format(limit) + " and was ended", kind="timeout"))

    def _replace_lost(self, worker: Worker, handle: Callable[[Message], None]) -> None:
        """Replaces a lost worker; its trial continues from its last checkpoint."""
        worker.link.join(_GRACE)
        loss, output = worker.loss(), worker.link.output()
        # Decisions stay valid, and so does a task's last message; epochs without a checkpoint are
        # trained again.
        done = worker.finished or worker.decision is not None
        task = None if done else worker.task
        if not worker.ready and loss.counts:
            self._count_failed_start(loss, output)
        self._restart(worker)
        if task is not None:
            self._retry(task, loss, output, handle)

    def _retry(
        self, task: WorkItem, loss: Loss, output: str, handle: Callable[[Message], None]
    ) -> None:
        """Queues a task whose worker was lost, or fails its trial after too many losses."""
        trial = task.trial
        lost = self._losses.count(trial, loss)
        failure = self._losses.failure(trial, loss, output)
        if failure is not None:
            handle(Failed(trial, failure))
            return
        self._queue.appendleft(replace(task, job=Resume(trial, task.job.until)))
        handle(Noted(trial, {"workers_lost": lost, "worker_lost": loss.text}))

    def _count_failed_start(self, loss: Loss, output: str) -> None:
        self._losses.failed_starts += 1
        if self._losses.failed_starts >= LIVES * len(self._workers):
            raise WorkerLost(
                f"{self._losses.failed_starts} workers in a row ended before they were "
                f"ready: {loss.text}. Use workers=1 to search in this process. They printed:\n"
                f"{output}"
            )

    def _hand_out(self) -> None:
        """Assigns queued tasks to idle workers, preferably those with the trial in memory."""
        idle = [worker for worker in self._workers if worker.idle]
        # A trial whose last worker is still saving waits for the checkpoint.
        ready = [task for task in self._queue if self._at_work(task.trial) is None]
        for by_affinity in (True, False):
            for task in [*ready]:
                holder = self._holder(task.trial)
                worker = holder if by_affinity else next(iter(idle), None)
                if worker not in idle:
                    continue
                if holder is not None and holder is not worker:
                    holder.send(Drop(task.trial))
                    holder.holds.discard(task.trial)
                worker.give(task)
                idle.remove(worker)
                ready.remove(task)
                self._queue.remove(task)

    def _at_work(self, trial: int) -> Worker | None:
        return next((worker for worker in self._workers if worker.trial == trial), None)

    def _holder(self, trial: int) -> Worker | None:
        return next((worker for worker in self._workers if trial in worker.holds), None)
