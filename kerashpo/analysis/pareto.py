"""The trials that no other trial beats in every respect."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from kerashpo.core.errors import InvalidInput, nearest
from kerashpo.core.history import History
from kerashpo.core.objective import WEIGHTED, infer_direction
from kerashpo.core.records import Objective, Status
from kerashpo.core.trial import Trial

Numbers: TypeAlias = NDArray[np.float64]

SECONDS = "seconds"
"""What a trial's training time is called among the things to weigh."""


@final
@dataclass(frozen=True, slots=True)
class Tradeoff:
    """What trials reached in several respects.

    Attributes:
        objectives: the m respects and which way each improves.
        trials: (n,), the trials that have a finite value in each.
        values: (n, m), at each trial's best epoch, in the objectives' own directions.
        front: (n,), which of them no other trial beats.
    """

    objectives: tuple[Objective, ...]
    trials: NDArray[np.int64]
    values: Numbers
    front: NDArray[np.bool_]


def tradeoff(history: History, objectives: tuple[Objective, ...] | None = None) -> Tradeoff:
    """Returns every trial's values, and which of them are on the Pareto front.

    A trial's values are those of one epoch, its best one: so does the stored model reach all of
    them. Failed trials are left out.

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
    values = table[:, 1:]
    return Tradeoff(chosen, table[:, 0].astype(np.int64), values, non_dominated(values * signs))


def non_dominated(costs: Numbers) -> NDArray[np.bool_]:
    """Tells which rows no other row beats: nowhere worse, somewhere better. Equal rows stay.

    Args:
        costs: (n, m), to minimise.
    """
    order = np.lexsort(costs.T[::-1])
    keep = np.zeros(len(costs), dtype=bool)
    front = np.empty((0, costs.shape[1]))
    for index in order:
        # In this order only rows before it can beat a row, and the front holds the best of them.
        row = costs[index]
        beaten = (front <= row).all(axis=1) & (front < row).any(axis=1)
        if not beaten.any():
            keep[index] = True
            front = np.vstack([front, row])
    return keep


def respect(history: History, name: str) -> Objective:
    """Returns what is meant by the name of a metric: the study's objective, or by its own name.

    Raises:
        InvalidInput: if no epoch logged it, or nothing tells which way it improves.
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
    # A weighted sum ranks, but its parts are the respects.
    own = tuple(o for o in history.objectives if o.name != WEIGHTED)
    return own if len(own) > 1 else (Objective(SECONDS, "min"), *own)


def _metrics(trial: Trial) -> list[str]:
    return list(trial.metrics_at_best())


def _value(trial: Trial, name: str) -> float:
    """The mean over runs of a metric at each run's best epoch."""
    if name == SECONDS:
        return trial.seconds if trial.score is not None else math.nan
    found = [
        trial.metrics_at_best(run).get(name, math.nan)
        for run, best in trial.run_bests.items()
        if best.finite
    ]
    return float(np.mean(found)) if found else math.nan
