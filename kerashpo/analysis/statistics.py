"""Means and intervals over seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its interval.

    Attributes:
        mean: the mean.
        half: half the width of the interval; NaN for fewer than two values.
        n: how many values there were.
    """

    mean: float
    half: float
    n: int

    @property
    def low(self) -> float:
        """The lower end."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """The upper end."""
        return self.mean + self.half


def interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """Returns mean and Student-t interval of independent values.

    Args:
        values: one for each seed; NaN is left out.
        level: the interval's coverage.
    """
    kept = np.array([value for value in values if not math.isnan(value)], dtype=float)
    n = len(kept)
    if n == 0:
        return Interval(math.nan, math.nan, 0)
    if n == 1:
        return Interval(float(kept[0]), math.nan, 1)
    spread = float(kept.std(ddof=1)) / math.sqrt(n)
    return Interval(float(kept.mean()), float(stdtrit(n - 1, 0.5 + level / 2)) * spread, n)
