"""Assembles the parts of a search and runs the loop."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from kerashpo.algorithms.automatic_choice import chosen_of
from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.registry import make_algorithm
from kerashpo.core.events import SessionStarted
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.core.records import Config
from kerashpo.executors.base import Executor
from kerashpo.schedulers.base import Scheduler
from kerashpo.space.observed_ranges import ObservedRanges, depend
from kerashpo.space.space import Space
from kerashpo.study.listeners import close_listeners
from kerashpo.study.loop import Limits, Loop
from kerashpo.study.open import Opened
from kerashpo.study.rerun import Command
from kerashpo.study.signals import Interrupt


@dataclass(frozen=True, slots=True)
class SearchParts:
    """The parts of a search: algorithm, scheduler, limits.

    Attributes:
        algorithm: its registry name.
        options: further arguments of the algorithm.
        scheduler: a new one; the loop replays the earlier events to it.
        limits: the limits of the search.
        project: maps a proposed configuration to the one that is trained in its place, see
            `Space.project`. None if all are trained as proposed.
    """

    algorithm: str
    scheduler: Scheduler
    options: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = Limits()
    project: Callable[[Config, Space], Config] | None = None


def run_study(
    opened: Opened, parts: SearchParts, executor: Executor, listeners: Iterable[Listener] = ()
) -> str:
    """Runs the search until nothing is left to train; returns why it ended.

    The executor and the listeners are closed, the store is not.
    """
    history = opened.history
    listeners = tuple(listeners)
    planned = parts.scheduler.plan().of_runs(history.runs).to_json()
    session = SessionStarted(time.time(), Command.current().to_json(), planned)
    try:
        with Interrupt() as interrupt:
            loop = Loop(
                opened.state,
                opened.store,
                algorithm_of(parts, history),
                executor,
                parts.limits,
                listeners,
                interrupt,
            )
            loop.begin(session)
            return loop.run()
    finally:
        executor.close()
        close_listeners(listeners)


def algorithm_of(parts: SearchParts, history: History) -> Callable[[], Algorithm]:
    """Returns a function that builds the algorithm for the study's current space."""

    def build() -> Algorithm:
        space = Space.from_json(history.space)
        space = space.with_projection(_projection(parts.project, history, space))
        name = chosen_of(history) if parts.algorithm == "auto" else parts.algorithm
        return make_algorithm(name, space, history.seed, parts.options)

    return build


def _projection(
    built: Callable[[Config, Space], Config] | None, history: History, space: Space
) -> Callable[[Config], Config] | None:
    """Returns what is trained for a proposed configuration; None if that is always itself.

    Args:
        built: finds it by building a model; None if no range of `build_model` depends on others.
        history: its trials show the ranges of parameters that are declared elsewhere.
        space: the search space.
    """
    if not depend(history.space, history.declared):
        return None if built is None else (lambda config: built(config, space))
    observed = ObservedRanges((trial.declared, trial.config) for trial in history.trials.values())

    def project(config: Config) -> Config:
        return observed.project(config if built is None else built(config, space), space)

    return project


def environment(packages: Iterable[str] = ("kerashpo", "numpy", "scipy")) -> dict[str, str]:
    """Returns package versions and the machine, which a study records for provenance."""
    found = {"python": platform.python_version(), "machine": platform.platform()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def provenance(packages: Iterable[str] = ("kerashpo", "numpy", "scipy")) -> dict[str, Any]:
    """Returns the environment and the cores that this process may use."""
    # joblib respects a container's CPU quota, which the standard library does not.
    from joblib import cpu_count

    return {**environment(packages), "cores": cpu_count()}
