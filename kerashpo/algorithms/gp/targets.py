"""From objective values to what the process models."""

from __future__ import annotations

import numpy as np

from kerashpo.algorithms.gp.kernel import Matrix


def standardise(costs: Matrix) -> Matrix:
    """Returns targets (n,) of costs (n,), less is better, inf where a trial failed.

    The bad tail is cut at Q3 + 1.5 IQR: how bad a bad configuration is says little about
    the good ones. Failures become the worst of what remains. No step depends on the units
    of the costs, nor overflows.
    """
    finite = np.isfinite(costs)
    if not finite.any():
        return np.zeros_like(costs)
    good = costs[finite]
    centre = float(np.median(good))
    # Halved before subtracting: values of either sign may lie near the largest double.
    apart = 0.5 * good - 0.5 * centre
    unit = float(np.abs(apart).max())
    if unit == 0.0:
        return np.asarray(~finite, dtype=float)
    apart = apart / unit
    low, high = np.quantile(apart, (0.25, 0.75))
    apart = np.minimum(apart, high + 1.5 * (high - low)) if high > low else apart
    out = np.empty_like(costs)
    out[finite], out[~finite] = apart, apart.max()
    spread = float(out.std())
    out -= out.mean()
    return out / spread if spread > 0.0 else out
