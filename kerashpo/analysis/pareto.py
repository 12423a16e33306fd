"""Trade-off between objectives, and the Pareto front."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from kerashpo.core.errors import InvalidInput, nearest
from kerashpo.core.history import History
from kerashpo.core.hypervolume import hypervolume
from kerashpo.core.objective import WEIGHTED, infer_direction
from kerashpo.core.pareto import from_knee, non_dominated
from kerashpo.core.records import Objective, Status
from kerashpo.core.trial import Trial

Numbers: TypeAlias = NDArray[np.float64]

SECONDS = "seconds"
"""The name of a trial's training time as an objective."""


@final
@dataclass(frozen=True, slots=True)
class Tradeoff:
    """The trials' values in several objectives, and which trials are Pareto optimal.

    Attributes:
        objectives: the m objectives and their directions.
        trials: (n,), the trials that have a finite value in each.
        values: (n, m), at each trial's best epoch, in the objectives' own directions.
        front: (n,), mask of the trials on the Pareto front.
        feasible: (n,), mask of the trials that keep the limits.
        deviations: (n, m), how uncertain each value is: the standard deviation over the runs, or
            half the spread of a repeated measurement; NaN where neither is known.
        knee: the place of the knee among the trials: of the study's best where its own objectives
            are compared, also some of them, else of this front. None if there is none.
        bounds: for each objective its limit, None where it has none.
    """

    objectives: tuple[Objective, ...]
    trials: NDArray[np.int64]
    values: Numbers
    front: NDArray[np.bool_]
    feasible: NDArray[np.bool_]
    deviations: Numbers
    knee: int | None
    bounds: tuple[float | None, ...]


def tradeoff(history: History, objectives: tuple[Objective, ...] | None = None) -> Tradeoff:
    """Returns every trial's values, and which trials are on the Pareto front.

    A trial's values are those of one epoch, its best one, so that its stored model has all of
    them. Failed trials are left out; one that exceeds a limit is never on the front.

    Args:
        history: the study.
        objectives: metrics, or ``"seconds"`` of training; None for the study's objectives, and
            the seconds where it has but one.
    """
    chosen = objectives or _default(history)
    rows = [
        (trial.number, *(_value(trial, objective.name) for objective in chosen))
        for trial in history.trials.values()
        if trial.status is not Status.FAILED
    ]
    table = np.array(rows, dtype=float).reshape(len(rows), 1 + len(chosen))
    table = table[np.isfinite(table).all(axis=1)]
    signs = np.array([1.0 if o.direction == "min" else -1.0 for o in chosen])
    trials, values = table[:, 0].astype(np.int64), table[:, 1:]
    feasible = np.array([history.trials[n].feasible for n in trials.tolist()], dtype=bool)
    front = np.zeros(len(trials), dtype=bool)
    front[feasible] = non_dominated(values[feasible] * signs)
    limits = {limit.name: limit.bound for limit in history.limits}
    deviations = [
        [_deviation(history.trials[number], one.name) for one in chosen]
        for number in trials.tolist()
    ]
    return Tradeoff(
        chosen,
        trials,
        values,
        front,
        feasible,
        np.array(deviations, dtype=float).reshape(values.shape),
        _knee(history, trials, values * signs, front, chosen),
        tuple(limits.get(one.name) for one in chosen),
    )


@final
@dataclass(frozen=True, slots=True)
class HypervolumeTrace:
    """The hypervolume of the trials that had ended, after each trial.

    Attributes:
        trials: (n,), the feasible trials with a score, in the order of their ends.
        values: (n,), the hypervolume after each of them; it never falls.
        reference: by objective the reference point, in the objectives' own directions.
    """

    trials: NDArray[np.int64]
    values: Numbers
    reference: Mapping[str, float]


def hypervolume_trace(
    history: History, reference: Mapping[str, float] | None = None
) -> HypervolumeTrace:
    """Returns how the hypervolume of the study's objectives grew, trial by trial.

    Args:
        history: the study.
        reference: by objective a value that is worse than all that counts; None for the worst
            value of any trial, so that figures of two studies cannot be compared.

    Raises:
        InvalidInput: for fewer than two objectives, or a reference of others.
    """
    objectives = _default(history)
    names = [one.name for one in objectives]
    if len(_own(history)) < 2:
        raise InvalidInput(
            "The hypervolume is of several objectives. The study has one: "
            f"{history.objective.name}."
        )
    if reference is not None and set(reference) != set(names):
        raise InvalidInput(
            f"reference must hold a value for each objective ({', '.join(names)}). "
            f"Received: {reference!r}."
        )
    found = tradeoff(history, objectives)
    signs = np.array([1.0 if o.direction == "min" else -1.0 for o in objectives])
    trials = found.trials[found.feasible]
    ends = [history.trials[number].ended for number in trials.tolist()]
    order = np.argsort([math.inf if end is None else end for end in ends], kind="stable")
    costs = (found.values[found.feasible] * signs)[order]
    if reference is None:
        worst = costs.max(axis=0) if len(costs) else np.full(len(names), math.nan)
    else:
        worst = signs * np.array([reference[name] for name in names], dtype=float)
    front, values = np.empty((0, len(names))), []
    for row in costs:
        front = np.vstack([front, row])
        front = front[non_dominated(front)]
        values.append(hypervolume(front, worst))
    return HypervolumeTrace(
        trials[order],
        np.array(values, dtype=float),
        dict(zip(names, (signs * worst).tolist())),
    )


def objective_named(history: History, name: str) -> Objective:
    """Returns the objective that a metric's name stands for: the study's, or one inferred from it.

    Raises:
        InvalidInput: if no epoch logged it, or its direction cannot be inferred.
    """
    known = {objective.name: objective for objective in history.objectives}
    if name in known:
        return known[name]
    if name == SECONDS:
        return Objective(SECONDS, "min")
    logged = dict.fromkeys(m for t in history.trials.values() for m in _metrics(t))
    if logged and name not in logged:
        names = [*logged, SECONDS]
        raise InvalidInput(
            f"No epoch logged {name!r}.{nearest(name, names)} Logged: {', '.join(names)}."
        )
    direction = infer_direction(name)
    if direction is None:
        raise InvalidInput(
            f"It is not known whether {name!r} should be minimised or maximised. Pass "
            f"kerashpo.Objective({name!r}, 'min') or kerashpo.Objective({name!r}, 'max')."
        )
    return Objective(name, direction)


def _default(history: History) -> tuple[Objective, ...]:
    # The weighted sum ranks trials; the trade-off is between its parts.
    own = _own(history)
    return own if len(own) > 1 else (Objective(SECONDS, "min"), *own)


def _own(history: History) -> tuple[Objective, ...]:
    return tuple(o for o in history.objectives if o.name != WEIGHTED)


def _metrics(trial: Trial) -> list[str]:
    return list(trial.metrics_at_best())


def _value(trial: Trial, name: str) -> float:
    """Returns the mean over runs of a metric at each run's best epoch."""
    if name == SECONDS:
        return trial.seconds if trial.score is not None else math.nan
    found = [
        trial.metrics_at_best(run).get(name, math.nan)
        for run, best in trial.run_bests.items()
        if best.finite
    ]
    return float(np.mean(found)) if found else math.nan


def _knee(
    history: History,
    trials: NDArray[np.int64],
    costs: Numbers,
    front: NDArray[np.bool_],
    chosen: tuple[Objective, ...],
) -> int | None:
    """Returns the place of the knee, see `Tradeoff`."""
    if history.several and set(chosen) <= set(history.objectives):
        best = -1 if history.best is None else history.best.number
        places = np.flatnonzero(trials == best)
        return int(places[0]) if len(places) else None
    members = np.flatnonzero(front)
    return int(members[from_knee(costs[members])[0]]) if len(members) else None


def _deviation(trial: Trial, name: str) -> float:
    """Returns the standard deviation of a trial's value, NaN where it is not known."""
    runs = [trial.metrics_at_best(run) for run in trial.run_bests]
    found = [metrics[name] for metrics in runs if name in metrics]
    if len(found) > 1:
        return float(np.std(found, ddof=1))
    spread = [metrics.get(f"{name}_spread", math.nan) for metrics in runs]
    return spread[0] / 2.0 if spread else math.nan
