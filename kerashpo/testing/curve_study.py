"""A whole study on curves, from the start or from any prefix of its log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, final

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.grid import GridSearch
from kerashpo.algorithms.random import RandomSearch
from kerashpo.core.events import Event, JobStarted, SessionStarted, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Budget, Config, Start
from kerashpo.executors.base import Executor
from kerashpo.executors.serial import SerialExecutor
from kerashpo.executors.simulated import SimulatedExecutor
from kerashpo.schedulers.base import Scheduler
from kerashpo.space.constructors import integer
from kerashpo.space.space import Space, key
from kerashpo.store.base import MemoryStore
from kerashpo.study.loop import Limits, Loop
from kerashpo.study.state import StudyState
from kerashpo.testing.algorithm_driver import Objectives
from kerashpo.testing.cases import MIXED
from kerashpo.testing.curve_runner import METRIC, Curve, CurveRunner, Done, wave

Trained: TypeAlias = "set[tuple[tuple[tuple[str, object], ...], int]]"


@final
@dataclass(frozen=True, slots=True)
class CurveStudy:
    """A study on curves; `run` returns its log, `play` the live history too.

    Attributes:
        scheduler: builds a fresh scheduler.
        curve: the function to evaluate.
        space: the space to search.
        algorithm: builds a fresh algorithm from a space and a seed.
        executor: builds the executor, from the curve and from what was trained before the
            log was cut; None for one worker in this process.
        direction: the direction in which the curve improves.
        seed: the study's seed.
        limits: the loop's limits.
        others: names and directions of further objectives.
    """

    scheduler: Callable[[], Scheduler]
    curve: Curve = wave
    space: Space = MIXED
    algorithm: Callable[[Space, int], Algorithm] = RandomSearch
    executor: Callable[[Curve, Done], Executor] | None = None
    direction: Literal["min", "max"] = "min"
    seed: int = 0
    limits: Limits = Limits()
    others: Objectives = ()

    def run(self, log: Sequence[Event] = ()) -> list[Event]:
        """Searches from the events of `log` to the end; returns the whole log."""
        return self.play(log)[1]

    def play(self, log: Sequence[Event] = ()) -> tuple[History, list[Event]]:
        """Searches like `run`; returns the history that the loop kept, and the whole log."""
        store = MemoryStore()
        for event in log or [self._created()]:
            store.append(event)
        state = StudyState(self.scheduler(), list(store.read()))
        history = state.history
        loop = Loop(
            state,
            store,
            lambda: self.algorithm(Space.from_json(history.space), history.seed),
            self._executor(_epochs_done(history)),
            self.limits,
        )
        loop.begin(SessionStarted(0.0))
        loop.run()
        return history, list(store.read())

    def history(self, log: Sequence[Event] = ()) -> History:
        """Searches like `run`; returns the fold of the log."""
        return History(self.run(log))

    def _created(self) -> StudyCreated:
        objectives = ((METRIC, self.direction), *self.others)
        return StudyCreated(self.space.to_json(), objectives, self.seed)

    def _executor(self, done: Done) -> Executor:
        if self.executor is None:
            return SerialExecutor(CurveRunner(self.curve, done=done))
        return self.executor(self.curve, done)


def _epochs_done(history: History) -> Done:
    """Returns the content of checkpoints if every epoch of a study was stored."""
    trials = history.trials.values()
    return {(trial.number, run): trial.last_epoch(run) for trial in trials for run in trial.reports}


@final
@dataclass(frozen=True, slots=True)
class CurveTable:
    """A table of curves: configuration ``{"i": n}`` has the value ``curve(n, epoch)``.

    Each of its epochs takes 1, 2 or 3 seconds, depending on n.

    Attributes:
        size: how many configurations there are.
        curve: their values.
        fails: for each failing configuration the epoch that fails.
    """

    size: int
    curve: Callable[[int, int], float]
    fails: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def flat(cls, values: Sequence[float], fails: Mapping[int, int] | None = None) -> CurveTable:
        """Returns constant curves with the given values."""
        return cls(len(values), lambda number, _: values[number], fails or {})

    def search(
        self, scheduler: Callable[[], Scheduler], workers: int = 1, budget: Budget | None = None
    ) -> CurveStudy:
        """Returns a search of every configuration in order, on a virtual clock.

        Args:
            scheduler: builds a fresh scheduler.
            workers: how many trials train at the same time.
            budget: the bounds of the search.
        """

        def simulated(_: Curve, __: Done) -> Executor:
            return SimulatedExecutor(self._evaluate, METRIC, dict, workers)

        return CurveStudy(
            scheduler,
            space=Space({"i": integer(0, self.size - 1)}),
            algorithm=GridSearch,
            executor=simulated,
            limits=Limits(budget or Budget()),
        )

    def _evaluate(self, config: Config, epoch: int) -> tuple[float, float]:
        number = int(config["i"])  # type: ignore[arg-type]
        if self.fails.get(number) == epoch:
            raise RuntimeError("made to fail")
        return self.curve(number, epoch), float(epoch * (1 + number % 3))


def jobs(log: Sequence[Event]) -> list[tuple[str, int, int]]:
    """Returns ("start" or "resume", trial, last epoch) of each job of a log."""
    return [
        ("start" if isinstance(e.job, Start) else "resume", e.job.trial, e.job.until)
        for e in log
        if isinstance(e, JobStarted)
    ]


def all_ended(history: History) -> bool:
    """Whether every trial has ended."""
    return all(trial.status.ended for trial in history.trials.values())


def trained(history: History) -> Trained:
    """Returns every (configuration, epoch) that was trained."""
    return {
        (key(trial.config), epoch)
        for trial in history.trials.values()
        for run in trial.reports.values()
        for epoch in run
    }


def statuses(history: History) -> dict[tuple[tuple[str, object], ...], str]:
    """Returns for each configuration the status of its trial."""
    return {key(trial.config): trial.status.value for trial in history.trials.values()}
