"""Standardises objective values to the targets that the process models, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from kerashpo.algorithms.gp.kernel import Matrix


@final
@dataclass(frozen=True, slots=True)
class Units:
    """The scale of targets: cost = centre + spread * target."""

    centre: float
    spread: float

    def costs(self, targets: Matrix) -> Matrix:
        """Returns the costs of targets."""
        return self.centre + self.spread * targets


def standardise(costs: Matrix, cut: bool = True) -> tuple[Matrix, Units]:
    """Returns targets (n,) with mean 0 and variance 1, and their units.

    Bad values are clipped at Q3 + 1.5 IQR: their size does not help to compare the good
    ones. Failures take the worst remaining value. The result does not depend on the units
    of the costs, and nothing overflows.

    Args:
        costs: (n,), less is better, inf where a trial failed.
        cut: whether to clip.
    """
    finite = np.isfinite(costs)
    if not finite.any():
        return np.zeros_like(costs), Units(0.0, 1.0)
    # Scaled by a power of two, which is exact: values may lie near the largest double.
    _, exponent = np.frexp(np.abs(costs[finite]).max())
    good = np.ldexp(costs[finite], -exponent)
    middle = float(np.median(good))
    apart = good - middle
    low, high = np.quantile(apart, (0.25, 0.75))
    if cut and high > low:
        apart = np.minimum(apart, high + 1.5 * (high - low))
    widest = float(np.abs(apart).max()) or 1.0
    out = np.full(len(costs), float(apart.max() / widest))
    out[finite] = apart / widest
    # If all finished trials are equal, a failure is still worse.
    if out.max() == out.min():
        out[~finite] += 1.0
    mean, spread = float(out.mean()), float(out.std()) or 1.0
    with np.errstate(over="ignore"):  # nextafter of the largest double is inf
        units = Units(
            float(np.ldexp(middle + widest * mean, exponent)),
            float(np.ldexp(widest * spread, exponent)),
        )
    return (out - mean) / spread, units
