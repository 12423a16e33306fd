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


def trace(history: History, by: Axis = "seconds") -> Trace:
    """Returns the best value so far of a study.

    Args:
        history: the study.
        by: what to count: epochs trained, trials started, or seconds of search.
    """
    objective = history.objective
    order = _in_time(history)
    x: list[float] = []
    y: list[float] = []
    best = np.inf
    for count, (at, number, _, cost) in enumerate(order, start=1):
        if cost < best:
            best = cost
            spent = {"epochs": count, "trials": number + 1, "seconds": at}[by]
            x.append(float(spent))
            y.append(cost if objective.direction == "min" else -cost)
    end = {"epochs": history.epochs, "trials": history.next_trial, "seconds": history.now}[by]
    steps = np.maximum.accumulate(np.array(x)) if x else np.array(x)
    return Trace(steps, np.array(y), float(end))


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
