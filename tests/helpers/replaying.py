"""Runs schedulers over tables of curves, from nothing or from a part of a log."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kerashpo.algorithms.registry import make_algorithm
from kerashpo.core.events import (
    Ended,
    Event,
    JobStarted,
    Reached,
    Reported,
    SessionStarted,
    StudyCreated,
)
from kerashpo.core.history import History
from kerashpo.core.records import Budget, Failure, Report, Start, Status
from kerashpo.executors.base import Emit, Executor, Runner
from kerashpo.executors.messages import Failed, WorkItem
from kerashpo.executors.serial import SerialExecutor
from kerashpo.executors.simulated import SimulatedExecutor
from kerashpo.schedulers.base import Scheduler
from kerashpo.space import Space, integer
from kerashpo.store.base import MemoryStore
from kerashpo.study.loop import Limits, Loop
from kerashpo.study.state import StudyState


@dataclass(frozen=True)
class Table:
    """Trial n is configuration n, whose value at each epoch is ``curve(n, epoch)``.

    Attributes:
        size: how many configurations there are.
        fails: by configuration the epoch that fails.
        finishes: by configuration the epoch after which it ends by itself.
    """

    size: int
    curve: Callable[[int, int], float]
    fails: Mapping[int, int] = field(default_factory=dict)
    finishes: Mapping[int, int] = field(default_factory=dict)

    @property
    def space(self) -> Space:
        return Space({"i": integer(0, self.size - 1)})

    def evaluate(self, config: dict[str, Any], epoch: int) -> tuple[float, float]:
        if self.fails.get(config["i"]) == epoch:
            raise RuntimeError("made to fail")
        return self.curve(config["i"], epoch), float(epoch * (1 + config["i"] % 3))


class TableRunner(Runner):
    """Plays a table in this process, with trials that end by themselves."""

    def __init__(self, table: Table) -> None:
        self.table, self.trained, self.freed = table, dict[int, int](), list[int]()

    def train(self, task: WorkItem, emit: Emit) -> None:
        index = int(task.config["i"])  # type: ignore[arg-type]
        while self.trained.get(task.trial, 0) < task.until:
            epoch = self.trained.get(task.trial, 0) + 1
            if self.table.fails.get(index) == epoch:
                emit(Failed(task.trial, Failure("fit", "made to fail")))
                return
            self.trained[task.trial] = epoch
            report = Report(task.trial, 0, epoch, {"value": self.table.curve(index, epoch)}, 1.0)
            if emit(Reported(report)).value != "continue":
                return
            if self.table.finishes.get(index) == epoch:
                emit(Ended(task.trial, Status.COMPLETED, "early stopping"))
                return
        emit(Reached(task.trial))

    def free(self, trial: int) -> None:
        self.freed.append(trial)

    def drop(self, trial: int) -> None:
        self.trained.pop(trial, None)


def play(
    scheduler: Scheduler,
    table: Table,
    *,
    workers: int = 1,
    log: Sequence[Event] = (),
    budget: Budget | None = None,
    executor: Executor | None = None,
) -> tuple[History, list[Event]]:
    """Runs a study, going on from `log` if there is one; returns its history and log."""
    space = table.space
    store = MemoryStore()
    created = StudyCreated(space.to_json(), (("value", "min"),), 0)
    for event in log or [created]:
        store.append(event)
    state = StudyState(scheduler, list(store.read()))
    if executor is None:
        executor = SimulatedExecutor(table.evaluate, "value", space.realise, workers)
    loop = Loop(
        state,
        store,
        lambda: make_algorithm("grid", space, 0),
        executor,
        Limits(budget or Budget()),
    )
    loop.begin(SessionStarted(0.0))
    loop.run()
    return state.history, list(store.read())


def play_here(scheduler: Scheduler, table: Table) -> tuple[History, list[Event]]:
    """Runs a study in this process, where trials may end by themselves."""
    return play(scheduler, table, executor=SerialExecutor(TableRunner(table)))


def jobs(log: Sequence[Event]) -> list[tuple[str, int, int]]:
    """Returns (start or resume, trial, until) of each job."""
    return [
        ("start" if isinstance(e.job, Start) else "resume", e.job.trial, e.job.until)
        for e in log
        if isinstance(e, JobStarted)
    ]


def trained(history: History) -> set[tuple[int, int]]:
    """Returns the (trial, epoch) that were trained."""
    return {(t.number, e) for t in history.trials.values() for e in t.reports.get(0, {})}


def settled(history: History) -> bool:
    """Tells whether every trial is over."""
    return all(trial.status.ended for trial in history.trials.values())


def constant(values: Sequence[float]) -> Callable[[int, int], float]:
    """Returns curves that are flat at the given values."""
    return lambda i, _: values[i]


NAN = math.nan
