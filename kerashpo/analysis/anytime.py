"""Anytime performance: the incumbent's value against trials, epochs or seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kerashpo.core.history import History
from kerashpo.core.limits import violation
from kerashpo.core.records import Status
from kerashpo.core.trial import Trial

Axis: TypeAlias = Literal["epochs", "trials", "seconds"]
Numbers: TypeAlias = NDArray[np.float64]

_SETTLED = np.inf
"""Sorts after every epoch: the point at which a trial's final score is known."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The incumbent's value as a step function: from ``x[i]`` on it is ``y[i]``.

    Attributes:
        x: the cost so far (trials, epochs or seconds), rising (n,).
        y: the incumbent's value then (n,), in the objective's own direction.
        end: the total cost.
    """

    x: Numbers
    y: Numbers
    end: float

    def at(self, costs: Numbers) -> Numbers:
        """Returns the incumbent's value at each cost, NaN before the first."""
        index = np.searchsorted(self.x, costs, side="right")
        return np.concatenate([[np.nan], self.y])[index]


@dataclass(frozen=True, slots=True)
class Step:
    """An improvement of the incumbent, and the cost at that point.

    Attributes:
        epochs: epochs trained.
        trials: trials started up to the one that improved.
        seconds: wall time of the search.
        value: the incumbent's value, in the objective's own direction.
    """

    epochs: int
    trials: int
    seconds: float
    value: float


def steps(history: History) -> list[Step]:
    """Returns every improvement of the incumbent, in the order of time."""
    objective = history.objective
    improvements: list[Step] = []
    best, started, count = np.inf, 0, 0
    for at, number, epoch, cost in _in_time(history):
        count += epoch < _SETTLED
        if cost < best:
            best, started = cost, max(started, number + 1)
            value = cost if objective.direction == "min" else -cost
            improvements.append(Step(count, started, at, value))
    return improvements


def trace_of(improvements: Sequence[Step], by: Axis, end: float) -> Trace:
    """Returns the step function through some improvements.

    Args:
        improvements: in the order of time.
        by: the cost to measure.
        end: the total cost.
    """
    # Of several improvements at the same amount the last one counts.
    best = {float(getattr(step, by)): step.value for step in improvements}
    return Trace(np.array(list(best)), np.array(list(best.values())), float(end))


def trace(history: History, by: Axis = "seconds") -> Trace:
    """Returns the anytime trace of a study.

    Args:
        history: the study.
        by: the cost to measure: epochs trained, trials started, or seconds of search.
    """
    end = {"epochs": history.epochs, "trials": history.next_trial, "seconds": history.now}[by]
    return trace_of(steps(history), by, end)


def _in_time(history: History) -> list[tuple[float, int, float, float]]:
    """Returns (elapsed, trial, epoch, cost) in the order of time.

    Failed trials never lead, and neither do epochs that exceed a limit.

    Where a single epoch does not score a trial (several runs, ``score="last"``, a value that
    the user's own code returned), its score counts from its last epoch on.
    """
    points = []
    for trial in history.trials.values():
        whole = trial.runs > 1 or trial.scoring.last > 0 or _measured(trial)
        lost = trial.status is Status.FAILED
        judged = [one for one in trial.limits if not one.before_training]
        for run, reports in trial.reports.items():
            for epoch, report in reports.items():
                value = report.metrics.get(history.objective.name, np.nan)
                lost_here = lost or whole or violation(judged, report.metrics) > 0.0
                cost = np.inf if lost_here else history.objective.cost(value)
                points.append((trial.times[run, epoch], trial.number, float(epoch), cost))
        if whole and not lost:
            at = max(trial.times.values(), default=trial.ended or history.now)
            best = trial.best
            cost = np.inf if best.violation > 0.0 else best.cost
            points.append((at, trial.number, _SETTLED, cost))
    return sorted(points)


def _measured(trial: Trial) -> bool:
    name = trial.objective.name
    return any(name in metrics for run in trial.measured.values() for metrics in run.values())


def mean_trace(traces: Sequence[Trace], grid: Numbers) -> Numbers:
    """Returns the mean (n,) of several traces at each cost of `grid`, NaN before all have begun."""
    values = np.array([one.at(grid) for one in traces])
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(known.all(axis=0), total / len(traces), np.nan)
