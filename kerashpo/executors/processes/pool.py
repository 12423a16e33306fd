"""Worker processes that live as long as the study."""

from __future__ import annotations

import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, final

from kerashpo.core.errors import DiskFull, InvalidInput, WorkerLost
from kerashpo.core.records import Decision, Failure, Resume
from kerashpo.executors.base import Executor, Runner
from kerashpo.executors.messages import (
    Epoch,
    Failed,
    Finished,
    Grew,
    Message,
    Note,
    Reach,
    WorkItem,
)
from kerashpo.executors.processes.pickling import Packed, discard, pack
from kerashpo.executors.processes.protocol import (
    Answer,
    Broken,
    Drop,
    Heard,
    Hello,
    Idle,
    Quit,
    Ready,
    Said,
)
from kerashpo.executors.processes.resources import Place
from kerashpo.executors.processes.worker import Worker, describe_exit
from kerashpo.store.disk_full import disk_full, is_full

LIVES = 3
"""So many workers may die of one epoch of a trial, and starts in a row fail for each worker."""
_BATCH = 100
"""Messages that one worker may have dealt with before another one's turn."""
_GRACE = 5.0
"""Seconds that workers with nothing to do get to end by themselves."""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """How worker processes work.

    Attributes:
        places: one a worker: its cores, threads and GPU.
        waits: whether each epoch waits for its answer, as under a scheduler that declares
            `every_epoch`; otherwise decisions count as soon as they arrive.
        ahead: how many seconds of epochs may be trained that are not in the log yet.
        timeout: seconds without a sign of life (an epoch, as a rule) after which a worker is
            ended and its trial goes on elsewhere; None for no limit.
        max_memory: bytes; a worker that takes more is replaced between two trials.
        environment: variables to set besides those of its place.
        logs: the folder for what workers print; None for one that is deleted at the end.
    """

    places: tuple[Place, ...]
    waits: bool = False
    ahead: float = 1.0
    timeout: float | None = None
    max_memory: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    logs: Path | None = None


@final
class ProcessExecutor(Executor):
    """Hands tasks to long-lived processes; started with the first task.

    A task waits here until a worker has said that it is idle; one that still has the trial
    in memory is preferred. When a worker dies, hangs or grows too large, another one takes
    its place, and its trial goes on from its last checkpoint: the checkpoints must be
    reachable from every process.

    Args:
        make: builds a worker's runner, in the worker. Sent by value where it must be.
        terms: how they work.
        parts: parts of `make` under names that a user knows, for the error.

    Raises:
        InvalidInput: if `make` cannot be sent.
    """

    def __init__(
        self,
        make: Callable[[], Runner],
        terms: WorkerSettings,
        parts: Mapping[str, Any] | None = None,
    ) -> None:
        self._terms = terms
        self._recipe: Packed = pack(make, parts)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._workers: list[Worker] = []
        self._queue: deque[WorkItem] = deque()
        self._deaths: Counter[int] = Counter()
        self._furthest: dict[tuple[int, int], int] = {}
        self._failed_starts = 0

    def submit(self, tasks: Sequence[WorkItem]) -> None:
        self.start()
        self._queue.extend(tasks)
        self._hand_out()

    def free(self) -> int:
        return len(self._terms.places) - self.busy() - len(self._queue)

    def busy(self) -> int:
        return sum(worker.task is not None for worker in self._workers)

    @property
    def ready(self) -> int:
        """How many workers have said that they are ready."""
        return sum(worker.ready for worker in self._workers)

    @property
    def pids(self) -> dict[int, int | None]:
        """By process id of each worker, the trial that it works on."""
        return {worker.pid: worker.trial for worker in self._workers}

    def start(self) -> None:
        """Starts the workers, if they are not started yet; returns at once."""
        if self._workers:
            return
        folder = self._terms.logs
        if folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="kerashpo-")
            folder = Path(self._folder.name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for number, place in enumerate(self._terms.places):
                log = folder / f"worker-{number}.log"
                log.write_bytes(b"")
                self._workers.append(Worker(number, place, log))
                self._start(self._workers[-1])
        except OSError as error:
            if is_full(error):
                raise disk_full(folder, error) from error
            raise

    def poll(self, handle: Callable[[Message], None], timeout: float | None = None) -> None:
        for worker in self._speaking(timeout):
            self._hear(worker, handle)
        self._end_silent()
        self._hand_out()

    def decide(self, trial: int, decision: Decision) -> None:
        if decision is Decision.CONTINUE:
            return
        self._queue = deque(task for task in self._queue if task.trial != trial)
        worker = self._at_work(trial)
        if worker is not None:
            worker.told = decision
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
        for worker in self._workers:
            if worker.idle:
                worker.send(Quit())
        try:
            deadline = time.perf_counter() + _GRACE
            for worker in self._workers:
                if worker.idle:
                    worker.wait(max(0.0, deadline - time.perf_counter()))
        finally:  # also where Ctrl-C ends the waiting
            for worker in self._workers:
                worker.close()
            self._workers = []
            discard(self._recipe)
            if self._folder is not None:
                self._folder.cleanup()

    def _start(self, worker: Worker) -> None:
        hello = Hello(self._recipe, worker.place.cores, self._terms.waits, self._terms.ahead)
        worker.start(hello, self._terms.environment)

    def _restart(self, worker: Worker) -> None:
        worker.close()
        self._start(worker)

    def _speaking(self, timeout: float | None) -> Iterable[Worker]:
        """Waits until workers have something to say; returns them."""
        if not self._workers:
            return []
        by_pipe = {worker.connection: worker for worker in self._workers}
        limit = self._terms.timeout
        if limit is not None:
            timeout = limit if timeout is None else min(timeout, limit)
        return [by_pipe[pipe] for pipe in wait([*by_pipe], timeout)]  # type: ignore[index]

    def _hear(self, worker: Worker, handle: Callable[[Message], None]) -> None:
        heard = 0
        while heard < _BATCH:
            try:
                said = worker.receive()
            except EOFError:
                self._lose(worker, handle)
                return
            if said is None:
                break
            heard += 1
            self._take(worker, said, handle)
        worker.send(Heard(heard))
        if worker.idle:
            self._weigh(worker)

    def _take(self, worker: Worker, said: Said, handle: Callable[[Message], None]) -> None:
        match said:
            case Ready():
                self._greet(worker)
            case Idle():
                worker.task = None
            case Broken(told, story, full):
                if full:
                    raise DiskFull(told)
                if told:
                    raise InvalidInput(told)
                raise WorkerLost(f"A worker failed outside any trial.\n{story}")
            case _:
                self._note(worker, said)
                worker.over = worker.over or isinstance(said, (Reach, Finished, Failed))
                # A trial that was stopped says no more.
                if worker.told is not Decision.STOP:
                    handle(said)

    def _note(self, worker: Worker, said: Message) -> None:
        """Keeps what is needed should the worker die."""
        match said:
            case Grew(_, values) if worker.task is not None:
                config = {**worker.task.config, **values}
                worker.task = replace(worker.task, config=config)
            case Epoch(report):
                place = (report.trial, report.run)
                if report.epoch > self._furthest.get(place, 0):
                    # Whoever gets further is not what kills the workers.
                    self._furthest[place] = report.epoch
                    self._deaths.pop(report.trial, None)

    def _greet(self, worker: Worker) -> None:
        worker.ready, self._failed_starts = True, 0
        limit, taken = self._terms.max_memory, worker.memory()
        if limit is not None and taken > limit:
            raise InvalidInput(
                f"A worker takes {taken / 1e6:.0f} MB before it trains anything, more than "
                f"max_worker_memory ({limit / 1e6:.0f} MB). Raise it."
            )

    def _weigh(self, worker: Worker) -> None:
        """Replaces a worker that has grown too large: its trials are all written down."""
        limit = self._terms.max_memory
        if limit is not None and worker.memory() > limit:
            self._restart(worker)

    def _end_silent(self) -> None:
        limit = self._terms.timeout
        if limit is None:
            return
        for worker in self._workers:
            silent = time.perf_counter() - worker.since > limit
            if silent and worker.task is not None and not worker.verdict:
                worker.verdict = "timeout"
                worker.kill()

    def _lose(self, worker: Worker, handle: Callable[[Message], None]) -> None:
        """Replaces a worker that has died; its trial goes on from its last checkpoint."""
        exit_code = worker.wait(_GRACE)
        why = _explain(worker, exit_code, self._terms)
        # What was decided stands, and what was reached; what was not written is trained again.
        task = None if worker.over or worker.told is not None else worker.task
        if not worker.ready:
            self._count_failed_start(worker, why)
        tail = worker.tail()
        self._restart(worker)
        if task is None:
            return
        trial = task.trial
        self._deaths[trial] += 1
        if self._deaths[trial] < LIVES:
            again = replace(task, job=Resume(trial, task.job.until))
            self._queue.appendleft(again)
            handle(Note(trial, {"workers_lost": self._deaths[trial], "worker_lost": why[1]}))
            return
        kind, how = why
        text = (
            f"{self._deaths[trial]} workers were lost while training it, and no epoch came in "
            f"between; of the last one, {how}"
        )
        handle(Failed(trial, Failure(kind, text, output=tail)))

    def _count_failed_start(self, worker: Worker, why: tuple[str, str]) -> None:
        self._failed_starts += 1
        if self._failed_starts >= LIVES * len(self._workers):
            raise WorkerLost(
                f"{self._failed_starts} worker processes in a row ended before they were ready: "
                f"{why[1]}. Use workers=1 to search in this process. They printed:\n{worker.tail()}"
            )

    def _hand_out(self) -> None:
        """Gives waiting tasks to idle workers, first to those that hold the trial."""
        idle = [worker for worker in self._workers if worker.idle]
        # A trial that its last worker is not done with must wait for what that one writes.
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


def _explain(worker: Worker, exit_code: int | None, terms: WorkerSettings) -> tuple[str, str]:
    """Returns the kind of a failure and how the worker was lost."""
    if worker.verdict == "timeout":
        return "timeout", f"it told no epoch for {terms.timeout:g} s (trial_timeout) and was ended"
    return "killed", describe_exit(exit_code)
