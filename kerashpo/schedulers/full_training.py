"""Full training: every configuration through all its epochs."""

from __future__ import annotations

from typing import ClassVar, final

from kerashpo.algorithms.base import Algorithm
from kerashpo.core.errors import require_integer
from kerashpo.core.events import Event, Reached
from kerashpo.core.history import History
from kerashpo.core.records import Decision, Plan, Rung
from kerashpo.schedulers.base import Decisions, NextJob, Scheduler


@final
class Full(Scheduler):
    """Trains each trial through all its epochs, until the algorithm is exhausted.

    Args:
        max_epochs: epochs of each trial.
        limit: an upper bound of trials, for the plan; inf if unknown.

    Raises:
        InvalidInput: if `max_epochs` is not a whole number of at least 1.
    """

    deterministic: ClassVar[bool] = True

    def __init__(self, max_epochs: int, limit: float = float("inf")) -> None:
        self.max_epochs = require_integer("max_epochs", max_epochs, 1)
        self._limit = limit

    def next_job(self, algorithm: Algorithm, history: History) -> NextJob:
        return self.start(algorithm, history, self.max_epochs)

    def on_event(self, event: Event, history: History) -> Decisions:
        match event:
            case Reached(trial) if history.trials[trial].complete:
                return [(trial, Decision.STOP)]
        return []

    def plan(self) -> Plan:
        if self._limit == float("inf"):
            return Plan((), None, None)
        trials = int(self._limit)
        rung = Rung(trials, self.max_epochs)
        return Plan(((rung,),) if trials else (), trials, trials * self.max_epochs)

    def extends(self, old: Scheduler) -> bool:
        return isinstance(old, Full) and old.max_epochs <= self.max_epochs
