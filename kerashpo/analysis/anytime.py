"""The best value so far, against what it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kerashpo.core.history import History
from kerashpo.core.records import Status
from kerashpo.core.trial import Trial

Axis: TypeAlias = Literal["epochs", "trials", "seconds"]
Numbers: TypeAlias = NDArray[np.float64]

_SETTLED = np.inf
"""Stands for an epoch after all others: the trial's score is known."""


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
    best, started, count = np.inf, 0, 0
    for at, number, epoch, cost in _in_time(history):
        count += epoch < _SETTLED
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
    # Of several improvements at the same amount the last one counts.
    best = {float(getattr(step, by)): step.value for step in found}
    return Trace(np.array(list(best)), np.array(list(best.values())), float(end))


def trace(history: History, by: Axis = "seconds") -> Trace:
    """Returns the best value so far of a study.

    Args:
        history: the study.
        by: what to count: epochs trained, trials started, or seconds of search.
    """
    end = {"epochs": history.epochs, "trials": history.next_trial, "seconds": history.now}[by]
    return trace_of(steps(history), by, end)


def _in_time(history: History) -> list[tuple[float, int, float, float]]:
    """Returns (elapsed, trial, epoch, cost) in time; failed trials cost epochs but never lead.

    Where an epoch alone does not score a trial (several runs, the last epochs, what its own
    code returned), its score comes after its last epoch.
    """
    told = []
    for trial in history.trials.values():
        whole = trial.runs > 1 or trial.scoring.last > 0 or _measured(trial)
        lost = trial.status is Status.FAILED
        for run, reports in trial.reports.items():
            for epoch, report in reports.items():
                value = report.metrics.get(history.objective.name, np.nan)
                cost = np.inf if lost or whole else history.objective.cost(value)
                told.append((trial.times[run, epoch], trial.number, float(epoch), cost))
        if whole and not lost:
            at = max(trial.times.values(), default=trial.ended or history.now)
            told.append((at, trial.number, _SETTLED, trial.best.cost))
    return sorted(told)


def _measured(trial: Trial) -> bool:
    name = trial.objective.name
    return any(name in metrics for run in trial.measured.values() for metrics in run.values())


def mean_trace(traces: Sequence[Trace], grid: Numbers) -> Numbers:
    """Returns the mean best value (n,) over several traces at each point of `grid`."""
    values = np.array([one.at(grid) for one in traces])
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(known.all(axis=0), total / len(traces), np.nan)
