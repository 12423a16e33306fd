"""Executors by name, and the choice of one from the arguments ``workers=`` and ``executor=``."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kerashpo.core.errors import InvalidInput, nearest, require_integer
from kerashpo.executors.base import Executor
from kerashpo.executors.dial.factory import Dial
from kerashpo.executors.factories import (
    Auto,
    Built,
    ExecutorFactory,
    ExecutorRequest,
    Processes,
    Serial,
)
from kerashpo.executors.ray.factory import Ray

EXECUTORS: Final[dict[str, type[ExecutorFactory]]] = {
    "serial": Serial,
    "processes": Processes,
    "auto": Auto,
    "ray": Ray,
    "dial": Dial,
}
"""The values of ``executor=`` and ``workers=``. A new executor is a factory and a line here."""

_ELSEWHERE: Final = {
    "simulated": "It plays recorded learning curves and trains nothing: use kt.simulate(problem)."
}
"""Executors that a search which trains cannot use, and where they are used."""


def executor_names() -> tuple[str, ...]:
    """Returns the names of all executors."""
    return (*EXECUTORS, *_ELSEWHERE)


def executor_factory(
    workers: object = 1, executor: object = None, isolated: bool = False
) -> tuple[ExecutorFactory, int | None]:
    """Reads the arguments ``workers=`` and ``executor=`` of a search.

    A number of workers of 1 matters only for worker processes: it is the default, so it does
    not contradict an executor with several workers.

    Args:
        workers: how many, or the name of an executor.
        executor: the name of an executor, or an `ExecutorFactory`; None for the one that
            `workers` implies: this process for 1, worker processes for more.
        isolated: whether other arguments need trials to be trained in other processes.

    Returns:
        the factory, and the number of workers to request of it; None for its own choice.

    Raises:
        InvalidInput: for an unknown name, or for arguments that contradict each other.
    """
    count: int | None = None
    if isinstance(workers, str) and executor in (None, workers):
        executor = workers
    else:
        count = require_integer("workers", workers, 1, why='processes that train, or "auto"')
    if executor is None:
        return (Processes() if isolated or count != 1 else Serial()), count
    factory = _read(executor)
    if count == 1 and executor != "processes":
        count = None  # the default of tuners: it does not concern other executors
    if isolated and isinstance(factory, Auto):
        return Processes(factory.workers), count
    if isolated and not factory.isolates:
        raise InvalidInput(
            "trial_timeout, max_worker_memory and deterministic need trials in worker processes. "
            f'Received: executor={executor!r}. Use "processes", or leave executor out.'
        )
    return factory, count


def build_executor(
    request: ExecutorRequest, workers: object = 1, executor: object = None, isolated: bool = False
) -> Built:
    """Returns the executor that a search's arguments ask for.

    Args:
        request: the requirements of the search; its `workers` are filled in from the arguments.
        workers: see `executor_factory`.
        executor: see `executor_factory`.
        isolated: see `executor_factory`.

    Returns:
        the executor, how many trials it trains in parallel at first, and notes for the user.

    Raises:
        InvalidInput: for arguments that contradict each other, or an object that cannot be pickled.
    """
    factory, count = executor_factory(workers, executor, isolated)
    return factory.build(replace(request, workers=count))


def workers_of(workers: object = 1, executor: object = None, isolated: bool = False) -> int:
    """Returns how many trials a search's arguments let run in parallel, 1 if that is not known.

    Raises:
        InvalidInput: see `executor_factory`.
    """
    factory, count = executor_factory(workers, executor, isolated)
    known = getattr(factory, "workers", None) if count is None else count
    return known if isinstance(known, int) else 1


def _read(executor: object) -> ExecutorFactory:
    if isinstance(executor, ExecutorFactory):
        return executor
    names = ", ".join(executor_names())
    if not isinstance(executor, str):
        built = isinstance(executor, Executor)
        hint = " It builds an executor for each search." if built else ""
        raise InvalidInput(
            f"executor must be one of the names {names}, or a factory such as "
            f"kt.executors.Processes(workers=4).{hint} Received: {executor!r}."
        )
    if executor not in EXECUTORS:
        why = _ELSEWHERE.get(executor)
        hint = f" {why}" if why else nearest(executor, EXECUTORS)
        raise InvalidInput(
            f"workers must be a whole number of at least 1, or it and executor= the name of an "
            f"executor that trains: {names}.{hint} Received: {executor!r}."
        )
    return EXECUTORS[executor]()
