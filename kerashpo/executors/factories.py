"""Executor factories: the values of ``executor=``, which build the executor of a search."""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, final

from kerashpo.core.errors import InvalidInput, require_integer, require_number
from kerashpo.executors.auto import AutoExecutor
from kerashpo.executors.base import Executor, Runner
from kerashpo.executors.pool.transport import START_LIMIT
from kerashpo.executors.pool.worker_pool import PoolSettings, WorkerPool
from kerashpo.executors.processes.pipe_transport import ProcessTransport
from kerashpo.executors.processes.resources import (
    Place,
    available_cores,
    available_gpus,
    core_quota,
    places,
    room,
)
from kerashpo.executors.serial import SerialExecutor
from kerashpo.store.base import Blobs

Built: TypeAlias = "tuple[Executor, int, tuple[str, ...]]"
"""An executor, how many trials it trains in parallel at first, and notes for the user."""


@dataclass(frozen=True, slots=True)
class ExecutorRequest:
    """What a search requires of its executor.

    Attributes:
        make: returns, for a number of workers that share the memory, the factory of each
            worker's runner.
        workers: the number of workers; None for the executor's own choice.
        settings: the pool's settings.
        threads: threads of each worker; None for as many as it has cores.
        environment: environment variables of worker processes.
        logs: the folder for the output of worker processes; None for a temporary one.
        parts: parts of what `make` builds, under names that a user knows, for errors.
        remaining: returns the number of remaining epochs, inf if unknown.
        blobs: the checkpoints as this process reaches them; None if there are none.
        jobs: returns how many trials may still be trained, inf if unknown.
        limit_gpu: has a worker's process take only this share of its GPU's memory.
        together: how many trials this process is given at once, to train them as one program.
    """

    make: Callable[[int], Callable[[], Runner]]
    workers: int | None = None
    settings: PoolSettings = PoolSettings()
    threads: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    logs: Path | None = None
    parts: Mapping[str, Any] = field(default_factory=dict)
    remaining: Callable[[], float] = lambda: math.inf
    blobs: Blobs | None = None
    jobs: Callable[[], float] = lambda: math.inf
    limit_gpu: Callable[[float], None] | None = None
    together: int = 1


class ExecutorFactory(ABC):
    """Builds the executor of a search.

    Attributes:
        isolates: whether each trial is trained in another process than the search, so that
            its time and memory can be limited, and its threads set.
    """

    isolates: ClassVar[bool] = True

    @property
    def place(self) -> str | None:
        """The folder or URL of the checkpoints, None for the study's own folder."""
        return None

    @abstractmethod
    def build(self, request: ExecutorRequest) -> Built:
        """Returns the executor, its number of workers and notes for the user.

        Raises:
            InvalidInput: if the request cannot be met, e.g. if an object cannot be pickled.
        """


@final
@dataclass(frozen=True, slots=True)
class Serial(ExecutorFactory):
    """Trains in this process, one trial at a time, or several as one program."""

    isolates: ClassVar[bool] = False

    def build(self, request: ExecutorRequest) -> Built:
        if request.workers not in (None, 1):
            raise InvalidInput(
                'executor="serial" trains in this process, one trial at a time: workers must be 1. '
                f"Received: workers={request.workers!r}."
            )
        return SerialExecutor(request.make(1)(), request.together, request.blobs), 1, ()


@final
@dataclass(frozen=True, slots=True)
class Processes(ExecutorFactory):
    """Trains in worker processes of this machine.

    Args:
        workers: the number of processes; None for the search's ``workers=``, or for as many as
            the machine has cores (or GPUs) and memory for.
        start_limit: seconds in which a worker must be ready; otherwise it is replaced.

    Raises:
        InvalidInput: for a number out of range.
    """

    workers: int | None = None
    start_limit: float = START_LIMIT

    def __post_init__(self) -> None:
        if self.workers is not None:
            require_integer("workers", self.workers, 1)
        require_number("start_limit", self.start_limit, 0.0, strict=True)

    def build(self, request: ExecutorRequest) -> Built:
        where = _places(agreed(self.workers, request.workers), request)
        return _pool(where, request, self.start_limit), len(where), ()


@final
@dataclass(frozen=True, slots=True)
class Auto(ExecutorFactory):
    """Starts in this process; worker processes take over if the remaining epochs justify it.

    Args:
        workers: the number of processes; None for the search's ``workers=``, or for as many as the
            machine has cores (or GPUs) and memory for.

    Raises:
        InvalidInput: for a number below 2.
    """

    isolates: ClassVar[bool] = False
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.workers is not None:
            require_integer("workers", self.workers, 2)

    def build(self, request: ExecutorRequest) -> Built:
        where = _places(agreed(self.workers, request.workers), request)
        count = len(where)
        here = SerialExecutor(request.make(1)(), blobs=request.blobs)
        if count < 2:
            note = 'workers="auto" stays in this process: there is room for one worker only'
            return here, 1, (note,)
        capacity = len({place.gpu for place in where} - {None}) or min(
            core_quota(), len(available_cores())
        )
        executor = AutoExecutor(
            here,
            lambda: _pool(where, request, START_LIMIT),
            count,
            capacity,
            request.remaining,
        )
        note = (
            f'workers="auto" starts in this process; {count} worker processes take over if the '
            "remaining epochs justify their start"
        )
        return executor, 1, (note,)


def agreed(own: int | None, asked: int | None) -> int | None:
    """Returns the number of workers given to the factory or the search, None for neither."""
    if own is not None and asked is not None and own != asked:
        raise InvalidInput(
            f"The number of workers was given twice: workers={asked} and {own} in executor=. "
            "Leave out one of them."
        )
    return own if asked is None else asked


def _places(workers: int | None, request: ExecutorRequest) -> tuple[Place, ...]:
    """Returns the cores, threads and GPU of each worker process."""
    cores, gpus, quota = available_cores(), available_gpus(os.environ), core_quota()
    count = room(min(quota, len(cores)), len(gpus)) if workers is None else workers
    return places(count, cores, gpus, request.threads, quota)


def _pool(where: tuple[Place, ...], request: ExecutorRequest, start_limit: float) -> WorkerPool:
    transport = ProcessTransport(
        request.make(len(where)),
        where,
        request.environment,
        request.logs,
        request.parts,
        start_limit,
    )
    return WorkerPool(transport, request.settings, request.blobs)
