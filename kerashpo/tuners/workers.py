"""Who trains: this process, or worker processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import keras
import psutil

from kerashpo.algorithms.registry import algorithm_entry, algorithm_names
from kerashpo.core.errors import InvalidInput
from kerashpo.executors.auto import AutoExecutor
from kerashpo.executors.base import Executor
from kerashpo.executors.pool.pool import PoolSettings, WorkerPool
from kerashpo.executors.processes.resources import (
    Place,
    available_cores,
    available_gpus,
    places,
)
from kerashpo.executors.processes.transport import ProcessTransport
from kerashpo.executors.serial import SerialExecutor
from kerashpo.schedulers.base import Scheduler
from kerashpo.training.factory import RunnerFactory
from kerashpo.tuners.options import TunerOptions, read_bytes

_WORKER_BYTES = 10**9
"""About what a worker takes with TensorFlow, its graphs and some models."""


@dataclass(frozen=True, slots=True)
class Workforce:
    """Who does the work.

    Attributes:
        executor: hands it out.
        workers: how many trials it trains at once to begin with.
        notes: what the user should know about it.
    """

    executor: Executor
    workers: int = 1
    notes: tuple[str, ...] = ()


def make_crew(
    options: TunerOptions,
    recipe: RunnerFactory,
    scheduler: Scheduler,
    algorithm: str,
    left: Callable[[], float],
) -> Workforce:
    """Returns who trains, from the tuner's arguments.

    Args:
        options: the tuner's arguments.
        recipe: builds what trains.
        scheduler: says whether each epoch waits for its answer.
        algorithm: the name of who proposes.
        left: returns how many epochs are left, inf where unknown.

    Raises:
        InvalidInput: if something that was given cannot be sent to other processes.
    """
    if options.workers == 1 and not needs_processes(options):
        return Workforce(SerialExecutor(recipe()))
    where, settings = _places(options), _pool_settings(options, scheduler)

    def processes() -> WorkerPool:
        share = recipe.settings.keep_in_memory // len(where)
        shared = replace(recipe, settings=replace(recipe.settings, keep_in_memory=share))
        backend = {"KERAS_BACKEND": keras.backend.backend()}
        logs = options.folder.absolute() / "logs"
        return WorkerPool(ProcessTransport(shared, where, backend, logs, shared.parts()), settings)

    if options.workers == "auto" and not needs_processes(options):
        return _auto(recipe, where, processes, left)
    if options.distribution_strategy is not None:
        raise InvalidInput(
            "distribution_strategy spreads one model over devices, and workers spread trials; "
            "a strategy cannot be sent to other processes. Leave out one of them (and "
            "trial_timeout, max_worker_memory and deterministic, which need worker processes)."
        )
    return Workforce(processes(), len(where), notes(options, scheduler, algorithm))


def _auto(
    recipe: RunnerFactory,
    where: Sequence[Place],
    processes: Callable[[], WorkerPool],
    left: Callable[[], float],
) -> Workforce:
    count, here = len(where), SerialExecutor(recipe())
    if count < 2:
        note = 'workers="auto" stays in this process: there is room for one worker only'
        return Workforce(here, 1, (note,))
    capacity = len({place.gpu for place in where} - {None}) or len(available_cores())
    executor = AutoExecutor(here, processes, count, capacity, left)
    note = (
        f'workers="auto" begins in this process; {count} worker processes take over once what is '
        "left pays for their start"
    )
    return Workforce(executor, 1, (note,))


def _places(options: TunerOptions) -> tuple[Place, ...]:
    """Returns the cores, threads and GPU of each worker process."""
    cores, gpus = available_cores(), available_gpus(os.environ)
    count = _room(cores, gpus) if options.workers == "auto" else options.workers
    # Equal threads whatever the number of workers: sums in another order differ in the last bits.
    return places(count, cores, gpus, 1 if options.deterministic else None)


def _pool_settings(options: TunerOptions, scheduler: Scheduler) -> PoolSettings:
    memory = options.max_worker_memory
    return PoolSettings(
        waits=scheduler.every_epoch,
        ahead=options.checkpoint_every,
        timeout=options.trial_timeout,
        max_memory=None if memory is None else read_bytes("max_worker_memory", memory),
    )


def needs_processes(options: TunerOptions) -> bool:
    """Whether arguments ask for worker processes whatever their number."""
    asked = (options.trial_timeout, options.max_worker_memory)
    return options.deterministic or any(value is not None for value in asked)


def _room(cores: Sequence[int], gpus: Sequence[str]) -> int:
    """Returns how many workers the machine has room for: a GPU or a core each, and memory."""
    memory = int(psutil.virtual_memory().available // _WORKER_BYTES)
    return max(1, min(len(gpus or cores), memory))


def notes(options: TunerOptions, scheduler: Scheduler, algorithm: str) -> tuple[str, ...]:
    """Returns what the user should know about worker processes and these arguments."""
    reads = {name: algorithm_entry(name).reads_scores for name in algorithm_names()}
    settled = scheduler.deterministic and not reads[algorithm]
    if not options.deterministic or options.workers == 1 or settled:
        return ()
    blind = ", ".join(name for name in reads if not reads[name])
    return (
        "deterministic=True: every trial's epochs repeat exactly, but with several workers "
        f"{algorithm} under this scheduler follows who reports first; {blind} under "
        "Hyperband or full training repeat as a whole",
    )
