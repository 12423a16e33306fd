"""Pareto fronts of several searches: how each front grew, hypervolumes on one scale, attainment."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from kerashpo.core.history import History
from kerashpo.core.hypervolume import hypervolume
from kerashpo.core.records import Objective, Status

Numbers: TypeAlias = NDArray[np.float64]

MARGIN = 0.1
"""How far beyond the worst point the reference point lies, as a share of the range: a little, so
that the ends of a front count (Ishibuchi, Imada, Setoguchi and Nojima, Evol. Comput. 26, 2018)."""


@final
@dataclass(frozen=True, slots=True)
class FrontStep:
    """A change of one trial's values in a search: its best epoch so far became another one.

    Attributes:
        epochs: epochs trained by then.
        trials: trials started by then.
        seconds: wall time of the search.
        trial: the trial.
        values: (m,), its values in the objectives, in their own directions.
    """

    epochs: int
    trials: int
    seconds: float
    trial: int
    values: tuple[float, ...]


@final
@dataclass(frozen=True, slots=True)
class FrontPoint:
    """One model of a search's Pareto front.

    Attributes:
        trial: its trial.
        config: its values.
        validation: by objective its value at the best epoch, by which the front was chosen.
        test: the same on the test set; of what is no metric of data, as above.
    """

    trial: int
    config: dict[str, object]
    validation: dict[str, float]
    test: dict[str, float]


def front_steps(history: History, objectives: Sequence[Objective]) -> list[FrontStep]:
    """Returns how the values of a study's trials changed, in the order of time.

    Failed trials, epochs that exceed a limit and values that are not finite are left out.

    Args:
        history: the study.
        objectives: those of the study's whose values are meant, in their order; a study with
            weights has their sum too.
    """
    names = [one.name for one in history.objectives]
    columns = [names.index(one.name) for one in objectives]
    times = sorted(
        (at, trial.number, epoch, run)
        for trial in history.trials.values()
        for (run, epoch), at in trial.times.items()
    )
    steps: list[FrontStep] = []
    known: dict[int, tuple[float, ...]] = {}
    started = 0
    for count, (at, number, epoch, _) in enumerate(times, start=1):
        trial, started = history.trials[number], max(started, number + 1)
        if trial.status is Status.FAILED:
            continue
        whole = trial.costs_until(epoch)
        costs = tuple(whole[column] for column in columns)
        if trial.best_until(epoch).violation > 0.0 or not all(map(math.isfinite, costs)):
            continue
        if known.get(number) != costs:
            known[number] = costs
            values = tuple(float(sign) * c for sign, c in zip(signs(objectives), costs))
            steps.append(FrontStep(count, started, at, number, values))
    return steps


def signs(objectives: Sequence[Objective]) -> Numbers:
    """Returns 1 for each objective (m,) that is minimised, -1 for one that is maximised."""
    return np.array([1.0 if one.direction == "min" else -1.0 for one in objectives])


@final
@dataclass(frozen=True, slots=True)
class Scale:
    """The box in which hypervolumes of several searches are compared.

    Attributes:
        objectives: the m objectives.
        ideal: (m,), the best value of each that any search found.
        reference: (m,), a value of each that is a little worse than all found.
    """

    objectives: tuple[Objective, ...]
    ideal: tuple[float, ...]
    reference: tuple[float, ...]

    @classmethod
    def around(cls, objectives: Sequence[Objective], values: Numbers) -> Scale:
        """Returns the box around values (n, m), with `MARGIN` beyond the worst.

        An objective in which all values are equal gets a range of 1.
        """
        turn = signs(objectives)
        costs = values * turn
        best, worst = costs.min(axis=0), costs.max(axis=0)
        spread = np.where(worst > best, worst - best, 1.0 / (1.0 + MARGIN))
        reference = best + (1.0 + MARGIN) * spread
        return cls(tuple(objectives), tuple(turn * best), tuple(turn * reference))

    def share(self, values: Numbers) -> float:
        """Returns the hypervolume of points (n, m) as a share of the box, from 0 to 1."""
        turn = signs(self.objectives)
        low, high = turn * np.array(self.ideal), turn * np.array(self.reference)
        if not len(values):
            return 0.0
        scaled = (np.asarray(values, dtype=float) * turn - low) / (high - low)
        # A later point may be better than what the box was made of.
        return hypervolume(np.maximum(scaled, 0.0), np.ones(len(low)))


def rows(points: Sequence[Mapping[str, float]], objectives: Sequence[Objective]) -> Numbers:
    """Returns values by name as an array (n, m), without rows that lack a finite value."""
    table = [[point.get(one.name, math.nan) for one in objectives] for point in points]
    found: Numbers = np.array(table, dtype=float).reshape(len(table), len(objectives))
    finite: Numbers = found[np.isfinite(found).all(axis=1)]
    return finite


def attainment(fronts: Sequence[Numbers], objectives: Sequence[Objective]) -> Numbers:
    """Returns the median attainment curve (n, 2) of several fronts in two objectives.

    Half of the fronts have a point at least as good as each point of the curve in both
    objectives (Fonseca, Guerreiro, López-Ibáñez and Paquete, EMO 2011). It begins at the best
    value of the first objective.

    Args:
        fronts: an array (n, 2) for each search.
        objectives: the two.
    """
    turn = signs(objectives)
    costs = [front * turn for front in fronts]
    places = np.unique(np.concatenate([front[:, 0] for front in costs])) if costs else np.empty(0)
    curve: list[tuple[float, float]] = []
    for place in places.tolist():
        reached = [front[front[:, 0] <= place, 1].min(initial=math.inf) for front in costs]
        middle = float(np.sort(reached)[(len(reached) + 1) // 2 - 1])
        if math.isfinite(middle) and (not curve or middle < curve[-1][1]):
            curve.append((place, middle))
    return np.array(curve, dtype=float).reshape(len(curve), 2) * turn
