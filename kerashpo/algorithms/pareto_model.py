"""Multi-objective acquisition: expected hypervolume improvement of several Gaussian processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from kerashpo.algorithms.gp.expected_hypervolume import (
    FrontAcquisition,
    Stripes,
    log_expected_hypervolume_improvement,
    log_expected_hypervolume_improvement_at,
    open_points,
)
from kerashpo.algorithms.gp.promise import Ensemble, FrontPromise, Promise
from kerashpo.core.pareto import from_least_crowded, non_dominated
from kerashpo.space.cube import Cube, Matrix

_MARGIN = 0.1
_BELOW = 0.25
_POINTS = 256


@final
@dataclass(frozen=True, slots=True)
class ParetoModel:
    """An acquisition over several objectives.

    Attributes:
        promise: the acquisition to maximise.
        best: (k, d), rows to look around.
    """

    promise: Promise
    best: Matrix

    @classmethod
    def of(
        cls,
        models: Sequence[Ensemble],
        rows: Matrix,
        around: int,
        rng: np.random.Generator,
    ) -> ParetoModel:
        """Returns the acquisition.

        It is the expected hypervolume improvement of a Gaussian process each (or an ensemble
        with those of earlier studies): exact for two objectives, by quasi-Monte Carlo for more.

        Args:
            models: one for each objective, with pending trials believed.
            rows: (n, d), distinct, whose expected costs are the front to improve.
            around: how many rows to look around.
            rng: the generator of the quasi-random points.
        """
        means = np.column_stack([one.mean(rows) for one in models])
        best = rows[from_least_crowded(means)[:around]]
        return cls(FrontPromise(models, acquisition_of(means, rng)), best)


def acquisition_of(means: Matrix, rng: np.random.Generator) -> FrontAcquisition:
    """Returns the logarithm of the expected hypervolume improvement on the front of `means`.

    Args:
        means: (n, m), the expected costs of all trials, pending ones included: noise moves no
            front.
        rng: the generator of the quasi-random points of three and more objectives.
    """
    front = means[non_dominated(means)]
    reference = reference_of(front if len(means) % 2 else means, means)
    if means.shape[1] == 2:
        stripes = Stripes.of(front, reference)
        return lambda mean, deviation: log_expected_hypervolume_improvement(
            mean, deviation, stripes
        )
    low = front.min(axis=0) - _BELOW * np.maximum(np.ptp(means, axis=0), _MARGIN)
    points = open_points(front, low, reference, _POINTS, rng)
    return lambda mean, deviation: log_expected_hypervolume_improvement_at(mean, deviation, points)


def reference_of(costs: Matrix, means: Matrix) -> Matrix:
    """Returns the reference point (m,) of an improvement: a tenth of the range beyond the worst.

    Beyond the worst of all trials it lets the ends of the front count, of which the first trials
    may know nothing; but where no model is sure that nothing better lies beyond an end, it pays
    for looking there again and again. Beyond the front's own worst (as BoTorch infers it) it fills
    the front. The two are taken by turns.

    Args:
        costs: (n, m), of all trials or of the front.
        means: (n, m), of all trials: their range, where that of `costs` is 0.
    """
    spread, whole = np.ptp(costs, axis=0), np.ptp(means, axis=0)
    spread = np.where(spread > 0, spread, np.where(whole > 0, whole, 1.0))
    return np.asarray(costs.max(axis=0) + _MARGIN * spread)


def distinct(cube: Cube, rows: Matrix) -> Matrix:
    """Returns the distinct rows (n, d), in the order of their first occurrence."""
    first = {cube.key(row): index for index, row in reversed(list(enumerate(rows)))}
    return rows[sorted(first.values())]
