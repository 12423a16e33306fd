"""A whole study on curves: from nothing, or from any part of its log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, final

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.random import RandomSearch
from kerashpo.core.events import Event, SessionStarted, StudyCreated
from kerashpo.core.history import History
from kerashpo.executors.base import Executor
from kerashpo.executors.serial import SerialExecutor
from kerashpo.schedulers.base import Scheduler
from kerashpo.space.space import Space, key
from kerashpo.store.base import MemoryStore
from kerashpo.study.loop import Limits, Loop
from kerashpo.study.state import StudyState
from kerashpo.testing.cases import MIXED
from kerashpo.testing.curve_runner import METRIC, Curve, CurveRunner, wave

Trained: TypeAlias = "set[tuple[tuple[tuple[str, object], ...], int]]"


@final
@dataclass(frozen=True, slots=True)
class Search:
    """How to search; `run` does it and returns the log.

    Attributes:
        scheduler: builds a fresh scheduler.
        curve: what is trained.
        space: what is searched.
        algorithm: builds a fresh algorithm of a space and a seed.
        executor: builds who does the work; None for one worker in this process.
        direction: which way the curve improves.
        seed: the study's seed.
        limits: when to give up.
    """

    scheduler: Callable[[], Scheduler]
    curve: Curve = wave
    space: Space = MIXED
    algorithm: Callable[[Space, int], Algorithm] = RandomSearch
    executor: Callable[[Curve], Executor] | None = None
    direction: Literal["min", "max"] = "min"
    seed: int = 0
    limits: Limits = Limits()

    def run(self, log: Sequence[Event] = ()) -> list[Event]:
        """Searches from what `log` holds to the end; returns the whole log."""
        store = MemoryStore()
        for event in log or [self._created()]:
            store.append(event)
        state = StudyState(self.scheduler(), list(store.read()))
        history = state.history
        loop = Loop(
            state,
            store,
            lambda: self.algorithm(Space.from_json(history.space), history.seed),
            self._executor(),
            self.limits,
        )
        loop.begin(SessionStarted(0.0))
        loop.run()
        return list(store.read())

    def history(self, log: Sequence[Event] = ()) -> History:
        """Searches like `run`; returns the fold of the log."""
        return History(self.run(log))

    def _created(self) -> StudyCreated:
        objectives = ((METRIC, self.direction),)
        return StudyCreated(self.space.to_json(), objectives, self.seed)

    def _executor(self) -> Executor:
        if self.executor is None:
            return SerialExecutor(CurveRunner(self.curve))
        return self.executor(self.curve)


def trained(history: History) -> Trained:
    """Returns every (configuration, epoch) that was trained."""
    return {
        (key(trial.config), epoch)
        for trial in history.trials.values()
        for run in trial.reports.values()
        for epoch in run
    }


def statuses(history: History) -> dict[tuple[tuple[str, object], ...], str]:
    """Returns by configuration how its trial ended."""
    return {key(trial.config): trial.status.value for trial in history.trials.values()}
