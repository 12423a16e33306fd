"""The executor of a tuner's search, from its options ``workers=`` and ``executor=``."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import keras

from kerashpo.algorithms.registry import algorithm_entry, algorithm_names
from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import Plan
from kerashpo.core.sizes import read_bytes
from kerashpo.executors.base import Executor
from kerashpo.executors.factories import ExecutorRequest
from kerashpo.executors.pool.worker_pool import PoolSettings
from kerashpo.executors.registry import build_executor, executor_factory
from kerashpo.schedulers.base import Scheduler
from kerashpo.store.open import place_checkpoints
from kerashpo.study.run_study import SearchParts
from kerashpo.training.factory import RunnerFactory, limit_gpu_memory
from kerashpo.training.loops.compiled.programs import FOLDER, ProgramCache
from kerashpo.tuners.population import choose_population
from kerashpo.tuners.tuner_options import TunerOptions


def make_executor(
    options: TunerOptions,
    factory: RunnerFactory,
    parts: SearchParts,
    remaining: Callable[[], float],
    jobs: Callable[[], float],
    plan: Plan,
) -> tuple[Executor, int, tuple[str, ...]]:
    """Returns the executor, how many trials it initially trains in parallel, and notes.

    Args:
        options: the tuner's arguments.
        factory: builds the runner.
        parts: the search; its scheduler says whether workers wait after each epoch.
        remaining: returns how many epochs are left, inf where unknown.
        jobs: returns how many trials may still be trained, inf where unknown.
        plan: the search's plan.

    Raises:
        InvalidInput: if an argument cannot be sent to other processes.
    """
    asked = options.executor_arguments
    if options.distribution_strategy is not None and executor_factory(*asked)[0].isolates:
        raise InvalidInput(
            "distribution_strategy spreads one model over devices, and workers spread trials; "
            "a strategy cannot be sent to other processes. Leave out one of them (and "
            "trial_timeout, max_worker_memory and deterministic, which need worker processes)."
        )
    together, places, said = choose_population(options, parts, factory, plan)
    if places > 1:
        cache = ProgramCache(options.folder.parent / FOLDER, os.environ.get("XLA_FLAGS", ""))
        factory = replace(factory, population=places, cache=cache)
    request = _request(options, factory, parts.scheduler, remaining, jobs)
    executor, workers, notes = build_executor(replace(request, together=together), *asked)
    more = repeatability_notes(options, workers, parts.scheduler, parts.algorithm)
    return executor, workers, (*said, *notes, *more)


def settle_checkpoints(options: TunerOptions) -> None:
    """Places the checkpoints of a study where its executor wants them, if not in its folder.

    Raises:
        InvalidInput: if the study has checkpoints in another place.
    """
    place = executor_factory(*options.executor_arguments)[0].place
    if place is not None:
        place_checkpoints(options.folder, place)


def _request(
    options: TunerOptions,
    factory: RunnerFactory,
    scheduler: Scheduler,
    remaining: Callable[[], float],
    jobs: Callable[[], float],
) -> ExecutorRequest:
    memory = options.max_worker_memory

    def make(workers: int) -> RunnerFactory:
        settings = factory.settings
        share = settings.keep_in_memory // workers
        return replace(factory, settings=replace(settings, keep_in_memory=share))

    return ExecutorRequest(
        make,
        settings=PoolSettings(
            waits=scheduler.every_epoch,
            ahead=options.checkpoint_every,
            timeout=options.trial_timeout,
            max_memory=None if memory is None else read_bytes("max_worker_memory", memory),
        ),
        # One thread for any number of workers: sums in another order differ in the last bits.
        threads=1 if options.deterministic else None,
        environment={"KERAS_BACKEND": keras.backend.backend()},
        logs=options.folder / "logs",
        parts=factory.parts(),
        remaining=remaining,
        blobs=factory.blobs,
        jobs=jobs,
        limit_gpu=limit_gpu_memory,
    )


def repeatability_notes(
    options: TunerOptions, workers: int, scheduler: Scheduler, algorithm: str
) -> tuple[str, ...]:
    """Returns the limits of `deterministic` for these arguments, if there are any."""
    reads = {name: algorithm_entry(name).reads_scores for name in algorithm_names()}
    settled = scheduler.deterministic and not reads[algorithm]
    if not options.deterministic or workers == 1 or settled:
        return ()
    blind = ", ".join(name for name in reads if not reads[name])
    return (
        "deterministic=True: every trial's epochs repeat exactly, but with several workers "
        f"{algorithm} under this scheduler follows who reports first; {blind} under "
        "Hyperband or full training repeat as a whole",
    )
