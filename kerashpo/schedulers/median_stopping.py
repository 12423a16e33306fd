"""The median stopping rule (Golovin et al., "Google Vizier", KDD 2017, section 3.2.2)."""

from __future__ import annotations

import math
from bisect import insort
from typing import ClassVar, final

from kerashpo.algorithms.base import Algorithm
from kerashpo.core.errors import InvalidInput, require_integer
from kerashpo.core.events import Ended, Event, Reached, Reported
from kerashpo.core.history import History
from kerashpo.core.records import Decision, Plan
from kerashpo.core.trial import Trial
from kerashpo.schedulers.base import Decisions, NextJob, Scheduler


@final
class RunningMedian:
    """The median of the numbers added so far."""

    def __init__(self) -> None:
        self._sorted: list[float] = []

    def __len__(self) -> int:
        return len(self._sorted)

    def add(self, value: float) -> None:
        """Adds a number, which may be infinite but not NaN."""
        insort(self._sorted, value)

    @property
    def value(self) -> float:
        """The median so far; NaN before the first number."""
        if not self._sorted:
            return math.nan
        middle, odd = divmod(len(self._sorted), 2)
        upper = self._sorted[middle]
        return upper if odd else (self._sorted[middle - 1] + upper) / 2


@final
class MedianStopping(Scheduler):
    """Stops a trial whose best epoch is worse than the median of earlier trials' means.

    After each epoch t from `min_epochs` on, a trial is stopped if its best value so far is
    strictly worse than the median, over all trials that reached epoch t before it, of
    their mean value through t.

    Args:
        max_epochs: epochs of a trial that is not stopped.
        min_epochs: the first epoch at which a trial can be stopped.
        min_trials: the fewest other trials for a median.
        limit: an upper bound of configurations, for the plan.
        budget: an upper bound of epochs, for the plan.

    Raises:
        InvalidInput: if an argument is not a whole number, below 1, or min_epochs too large.
    """

    every_epoch: ClassVar[bool] = True
    several: ClassVar[bool] = False

    def __init__(
        self,
        max_epochs: int,
        min_epochs: int = 1,
        min_trials: int = 5,
        limit: float = float("inf"),
        budget: float = float("inf"),
    ) -> None:
        self.max_epochs = require_integer("max_epochs", max_epochs, 1)
        self._min_epochs = require_integer("min_epochs", min_epochs, 1)
        self._min_trials = require_integer("min_trials", min_trials, 1)
        if min_epochs > max_epochs:
            raise InvalidInput(
                f"min_epochs must not exceed max_epochs. "
                f"Received: min_epochs={min_epochs}, max_epochs={max_epochs}."
            )
        self._limit, self._budget = limit, budget
        self._medians: dict[int, RunningMedian] = {}
        self._judged: dict[int, int] = {}
        self._sums: dict[int, tuple[float, int]] = {}

    def next_job(self, algorithm: Algorithm, history: History) -> NextJob:
        return self.start(algorithm, history, self.max_epochs)

    def on_event(self, event: Event, history: History) -> Decisions:
        match event:
            case Reported(report):
                return self._judge(history.trials[report.trial])
            case Reached(trial) if history.trials[trial].complete:
                return [(trial, Decision.STOP)]
            case Ended(trial) if not history.trials[trial].stopped_by_budget:
                # Kept for running trials only, so that memory does not grow with the study.
                self._judged.pop(trial, None)
                self._sums.pop(trial, None)
        return []

    def plan(self) -> Plan:
        notes = (f"A trial may be stopped after any epoch from {self._min_epochs} on.",)
        trials = int(self._limit) if self._limit < math.inf else None
        most = min(self._limit * self.max_epochs, self._budget)
        return Plan((), trials, int(most) if most < math.inf else None, notes)

    def extends(self, old: Scheduler) -> bool:
        return (
            isinstance(old, MedianStopping)
            and (old._min_epochs, old._min_trials) == (self._min_epochs, self._min_trials)
            and old.max_epochs <= self.max_epochs
        )

    def _judge(self, trial: Trial) -> Decisions:
        number = trial.number
        stop = False
        for epoch in range(self._judged.get(number, 0) + 1, trial.epoch + 1):
            self._judged[number] = epoch
            median = self._medians.setdefault(epoch, RunningMedian())
            known = len(median) >= self._min_trials and self._min_epochs <= epoch
            stop = known and epoch < self.max_epochs and trial.best.cost > median.value
            median.add(self._mean(trial, epoch))
        return [(number, Decision.STOP)] if stop else []

    def _mean(self, trial: Trial, epoch: int) -> float:
        """Returns the mean cost through `epoch`, over the epochs with a finite cost."""
        total, count = self._sums.get(trial.number, (0.0, 0))
        for run in trial.reports.values():
            value = run[epoch].metrics.get(trial.objective.name, math.nan)
            if math.isfinite(value):
                total, count = total + trial.objective.cost(value), count + 1
        self._sums[trial.number] = (total, count)
        return total / count if count else math.inf
