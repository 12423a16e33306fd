"""Means and intervals over seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from kerashpo.core.rng import stream


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


@dataclass(frozen=True, slots=True)
class Bounds:
    """The two ends of an interval that need not be symmetric."""

    low: float
    high: float


def bootstrap(
    values: Sequence[float], seed: int = 0, level: float = 0.95, draws: int = 9999
) -> Bounds:
    """Returns the bootstrap interval of a mean, bias-corrected and accelerated.

    Source: B. Efron, "Better Bootstrap Confidence Intervals", JASA 82 (1987), by
    `scipy.stats.bootstrap`. Values that are all equal have an interval of no width.

    Args:
        values: one for each seed; NaN is left out, and an infinite one has no interval.
        seed: of the resampling.
        level: the interval's coverage.
        draws: how often to resample.
    """
    kept = np.array([value for value in values if not math.isnan(value)], dtype=float)
    if len(kept) < 2 or np.isinf(kept).any():
        return Bounds(math.nan, math.nan)
    if np.ptp(kept) == 0:
        return Bounds(float(kept[0]), float(kept[0]))
    from scipy.stats import bootstrap as resample

    found = resample(
        (kept,),
        np.mean,
        n_resamples=draws,
        confidence_level=level,
        method="BCa",
        rng=stream(seed, "bootstrap"),
    )
    return Bounds(float(found.confidence_interval.low), float(found.confidence_interval.high))
