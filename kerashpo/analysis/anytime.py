"""The best value so far, against what it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kerashpo.core.history import History
from kerashpo.core.records import Status

Axis: TypeAlias = Literal["epochs", "trials", "seconds"]
Numbers: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trace:
    """A staircase: from ``x[i]`` on, the best is ``y[i]``.

    Attributes:
        x: what was spent, rising (n,).
        y: the best value then (n,), in the objective's own direction.
        end: what was spent in all.
    """

    x: Numbers
    y: Numbers
    end: float

    def at(self, spent: Numbers) -> Numbers:
        """Returns the best value at each amount spent, NaN before the first."""
        index = np.searchsorted(self.x, spent, side="right")
        return np.concatenate([[np.nan], self.y])[index]


@dataclass(frozen=True, slots=True)
class Step:
    """An improvement of the best value, and what had been spent by then.

    Attributes:
        epochs: epochs trained.
        trials: trials started up to the one that improved.
        seconds: wall time of the search.
        value: the best value, in the objective's own direction.
    """

    epochs: int
    trials: int
    seconds: float
    value: float


def steps(history: History) -> list[Step]:
    """Returns every improvement of a study, in time."""
    objective = history.objective
    found: list[Step] = []
    best, started = np.inf, 0
    for count, (at, number, _, cost) in enumerate(_in_time(history), start=1):
        if cost < best:
            best, started = cost, max(started, number + 1)
            value = cost if objective.direction == "min" else -cost
            found.append(Step(count, started, at, value))
    return found


def trace_of(found: Sequence[Step], by: Axis, end: float) -> Trace:
    """Returns the staircase of some improvements.

    Args:
        found: the improvements, in time.
        by: what to count.
        end: what was spent in all.
    """
    x = np.array([float(getattr(step, by)) for step in found])
    return Trace(x, np.array([step.value for step in found]), float(end))


def trace(history: History, by: Axis = "seconds") -> Trace:
    """Returns the best value so far of a study.

    Args:
        history: the study.
        by: what to count: epochs trained, trials started, or seconds of search.
    """
    end = {"epochs": history.epochs, "trials": history.next_trial, "seconds": history.now}[by]
    return trace_of(steps(history), by, end)


def _in_time(history: History) -> list[tuple[float, int, int, float]]:
    """Returns (elapsed, trial, epoch, cost) in time; failed trials cost epochs but never lead."""
    objective = history.objective
    return sorted(
        (
            trial.times[run, epoch],
            trial.number,
            epoch,
            np.inf
            if trial.status is Status.FAILED
            else objective.cost(report.metrics.get(objective.name, np.nan)),
        )
        for trial in history.trials.values()
        for run, reports in trial.reports.items()
        for epoch, report in reports.items()
    )


def mean_trace(traces: Sequence[Trace], grid: Numbers) -> Numbers:
    """Returns the mean best value (n,) over several traces at each point of `grid`."""
    values = np.array([one.at(grid) for one in traces])
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(known.all(axis=0), total / len(traces), np.nan)
