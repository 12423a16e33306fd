"""From objective values to what the process models."""

from __future__ import annotations

import numpy as np

from kerashpo.algorithms.gp.kernel import Matrix


def standardise(costs: Matrix, cut: bool = True) -> Matrix:
    """Returns targets (n,) of costs (n,), less is better, inf where a trial failed.

    The bad tail is cut at Q3 + 1.5 IQR: how bad a bad configuration is says little about
    the good ones. Failures become the worst of what remains. Nothing depends on the units
    of the costs, and nothing overflows.

    Args:
        costs: (n,).
        cut: whether to cut the tail.
    """
    finite = np.isfinite(costs)
    if not finite.any():
        return np.zeros_like(costs)
    # By a power of two, which is exact: values may lie near the largest double.
    _, exponent = np.frexp(np.abs(costs[finite]).max())
    good = np.ldexp(costs[finite], -exponent)
    apart = good - np.median(good)
    low, high = np.quantile(apart, (0.25, 0.75))
    if cut and high > low:
        apart = np.minimum(apart, high + 1.5 * (high - low))
    widest = float(np.abs(apart).max())
    if widest == 0.0:
        apart, widest = np.zeros_like(apart), 1.0
    out = np.full(len(costs), float(apart.max() / widest))
    out[finite] = apart / widest
    # Where all that finished is equal, a failure is still worse.
    if out.max() == out.min():
        out[~finite] += 1.0
    spread = float(out.std())
    return (out - out.mean()) / spread if spread > 0.0 else out
