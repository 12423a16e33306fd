"""A posterior whose cost is bounded, by a subset of the observations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kerashpo.algorithms.gp.fit import ENOUGH, ROUGHLY, fit
from kerashpo.algorithms.gp.kernel import Layout, Matrix
from kerashpo.algorithms.gp.posterior import Posterior

COARSE_ROWS = 60
"""A first fit on this many observations is the start of the second, which then takes few steps."""
FIT_ROWS = 150
"""Hyperparameters are fitted on at most this many observations: an iteration costs n^3."""
KEPT_ROWS = 400
"""The posterior is conditioned on at most this many observations."""


def model(
    features: Matrix,
    targets: Matrix,
    layout: Layout,
    floor: float,
    rows: int = KEPT_ROWS,
    fit_rows: int = FIT_ROWS,
) -> Posterior:
    """Returns the posterior of observations in the order of their trials.

    Args:
        features: (n, p).
        targets: (n,), standardised, less is better.
        layout: how to read the features.
        floor: added to the fitted noise variance.
        rows: condition on at most this many observations.
        fit_rows: fit the hyperparameters on at most this many.
    """
    some = representatives(targets, min(COARSE_ROWS, fit_rows))
    again = len(some) < min(len(targets), fit_rows)
    enough = ROUGHLY if again else ENOUGH
    hyper = fit(features[some], targets[some], layout, floor, enough=enough)
    if again:
        more = representatives(targets, fit_rows)
        hyper = fit(features[more], targets[more], layout, floor, start=hyper)
    kept = representatives(targets, rows)
    return Posterior(features[kept], targets[kept], hyper, layout)


def representatives(targets: Matrix, count: int) -> NDArray[np.intp]:
    """Returns the indices of at most `count` of n observations to keep, ascending.

    A third are the best, which locate the optimum; a third the latest, which record what
    was tried there; a third evenly spaced over the ranks of the rest, which represent the
    rest of the space.
    """
    n = len(targets)
    if n <= count:
        return np.arange(n)
    order = np.argsort(targets, kind="stable")
    best, rest = order[: count // 3], np.sort(order[count // 3 :])
    latest, older = rest[-(count // 3) :], rest[: -(count // 3)]
    left = count - len(best) - len(latest)
    ranked = older[np.argsort(targets[older], kind="stable")]
    spread = ranked[np.linspace(0, len(ranked) - 1, left).astype(int)]
    return np.unique(np.concatenate([best, latest, spread]))
