"""The probability that a configuration keeps the limits, by a Gaussian process for each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from kerashpo.algorithms.gp.promise import FeasiblePromise, Promise, Threshold
from kerashpo.algorithms.observations import SeenTrials
from kerashpo.algorithms.surrogate import Surrogate
from kerashpo.core.limits import Limit
from kerashpo.space.cube import Matrix

FitLimit: TypeAlias = "Callable[[SeenTrials], Surrogate | None]"
"""Fits a surrogate of the first column of the values, without clipping them."""

_BEYOND = -0.999


def with_limits(
    promise: Promise | None, seen: SeenTrials, limits: Sequence[Limit], fit: FitLimit
) -> Promise | None:
    """Returns an acquisition weighted by the probability of feasibility.

    As constrained expected improvement is (Gardner, Kusner, Xu, Weinberger and Cunningham, ICML
    2014). While no trial is feasible, that probability alone is the acquisition.

    Args:
        promise: the acquisition without limits, over feasible trials; None while there is none.
        seen: the observations, infeasible trials included.
        limits: the c limits of the observations' excesses.
        fit: fits the surrogate of a limit's excess.
    """
    found = [_threshold(seen, k, limit, fit) for k, limit in enumerate(limits)]
    thresholds = [one for one in found if one is not None]
    return FeasiblePromise(promise, thresholds) if thresholds else promise


def _threshold(seen: SeenTrials, column: int, limit: Limit, fit: FitLimit) -> Threshold | None:
    """Returns the model of one limit; None where no trial has a value."""
    known = seen.rows_where(np.isfinite(seen.excess[:, column]))
    values = scaled(known.excess[:, column], limit)
    surrogate = fit(replace(known, values=values[:, None])) if len(values) else None
    if surrogate is None:
        return None
    units = surrogate.units
    return Threshold(surrogate.features, surrogate.posterior, -units.centre / units.spread)


def scaled(excess: Matrix, limit: Limit) -> Matrix:
    """Returns excesses (n,) on a scale that a Gaussian process fits, 0 being the limit on both.

    The logarithm of value / bound where all values have the bound's sign, as parameters, bytes and
    seconds have, which range over orders of magnitude.
    """
    ratio = limit.bound > 0.0 and limit.objective.direction == "min"
    return np.log1p(excess) if ratio and len(excess) and excess.min() > _BEYOND else excess


def before_limits(seen: SeenTrials) -> SeenTrials:
    """Returns the observations without trials of which only the excess is known.

    They were not trained, and were they to count as failures, the model of the objective would
    learn the limits once more, and as a cliff.
    """
    untrained = ~np.isfinite(seen.values).all(axis=1) & (seen.violation > 0.0)
    return seen.rows_where(~untrained) if untrained.any() else seen
