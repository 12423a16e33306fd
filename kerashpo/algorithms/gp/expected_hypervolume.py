"""The expected hypervolume improvement, with its slopes: exact for two objectives, else by QMC."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from scipy.special import log_ndtr, logsumexp
from scipy.stats import qmc

from kerashpo.algorithms.gp.acquisition import log_h
from kerashpo.algorithms.gp.kernel import Matrix

Scores: TypeAlias = "tuple[Matrix, Matrix, Matrix]"
"""Value (n,), slopes by the means (n, m), slopes by the standard deviations (n, m)."""
FrontAcquisition: TypeAlias = Callable[[Matrix, Matrix], Scores]
"""From means and standard deviations (n, m) to scores; more is better."""

_LOG_ROOT_2PI = 0.5 * np.log(2.0 * np.pi)
_EQUAL = -1e-15
_DRAWN = 2048


@final
@dataclass(frozen=True, slots=True)
class Stripes:
    """The region that would improve a front of two objectives, in stripes along the first one.

    Attributes:
        left: (k,), where each stripe begins; the first has no beginning (-inf).
        right: (k,), where it ends.
        height: (k,), below which second cost a point in it is better than the front.
    """

    left: Matrix
    right: Matrix
    height: Matrix

    @classmethod
    def of(cls, front: Matrix, reference: Matrix) -> Stripes:
        """Returns the stripes between a front (n, 2) and the reference point (2,).

        Args:
            front: non-dominated costs; rows beyond the reference add nothing.
            reference: the reference point.
        """
        inside = np.unique(front[(front < reference).all(axis=1)], axis=0)
        return cls(
            np.append(-np.inf, inside[:, 0]),
            np.append(inside[:, 0], reference[0]),
            np.append(reference[1], inside[:, 1]),
        )


def log_expected_hypervolume_improvement(
    mean: Matrix, deviation: Matrix, stripes: Stripes
) -> Scores:
    """Returns log E[hypervolume improvement] of independent normal costs, and its slopes.

    The improvement of a point y is the area of what it dominates and the front does not. In a
    stripe from a to b that is the width max(b - y1, 0) - max(a - y1, 0) times the height
    max(g - y2, 0); y1 and y2 are independent, so the expectation is a sum over the stripes of
    products of expected improvements (as in Yang, Emmerich, Deutz and Bäck, Journal of Global
    Optimization 75, 2019), here with logarithms throughout (Ament et al., NeurIPS 2023).

    Args:
        mean: (n, 2), of the costs.
        deviation: (n, 2), positive.
        stripes: the region left to improve.
    """
    upper, upper_cdf, upper_pdf = _improvement(stripes.right, mean[:, :1], deviation[:, :1])
    lower, lower_cdf, lower_pdf = _improvement(stripes.left, mean[:, :1], deviation[:, :1])
    height, height_cdf, height_pdf = _improvement(stripes.height, mean[:, 1:], deviation[:, 1:])
    gap = np.minimum(np.where(np.isneginf(lower), -np.inf, lower - upper), _EQUAL)
    width = upper + np.log(-np.expm1(gap))
    parts = width + height
    value = logsumexp(parts, axis=1)
    share = np.exp(parts - value[:, None])

    def mixed(first: Matrix, second: Matrix, over: Matrix) -> Matrix:
        """The mean over stripes of (exp(first) - exp(second)) / exp(over)."""
        return np.asarray((share * (np.exp(first - over) - np.exp(second - over))).sum(axis=1))

    nothing = np.full_like(height, -np.inf)
    by_mean = (mixed(lower_cdf, upper_cdf, width), mixed(nothing, height_cdf, height))
    by_deviation = (mixed(upper_pdf, lower_pdf, width), mixed(height_pdf, nothing, height))
    return value, np.column_stack(by_mean), np.column_stack(by_deviation)


def open_points(
    front: Matrix, low: Matrix, reference: Matrix, count: int, rng: np.random.Generator
) -> Matrix:
    """Returns quasi-random points (at most `count`, m) that no row of a front dominates.

    Args:
        front: (k, m), non-dominated costs.
        low: (m,), the lower corner of the box to draw from.
        reference: (m,), its upper corner.
        count: how many points at most.
        rng: scrambles the Sobol points.
    """
    drawn = qmc.Sobol(front.shape[1], rng=rng).random(_DRAWN)
    points = low + drawn * (reference - low)
    dominated = (front[None] <= points[:, None]).all(axis=2).any(axis=1)
    return np.asarray(points[~dominated][:count])


def log_expected_hypervolume_improvement_at(
    mean: Matrix, deviation: Matrix, points: Matrix
) -> Scores:
    """Returns log E[hypervolume improvement] for any number of objectives, up to a constant.

    The improvement of y is the volume of what it dominates and the front does not, so that its
    expectation is the integral of the probability that y dominates z over all z that the front
    leaves open: here the mean over quasi-random z.

    Args:
        mean: (n, m), of the costs.
        deviation: (n, m), positive.
        points: (q, m), see `open_points`.
    """
    z = (points[None] - mean[:, None]) / deviation[:, None]
    logs = log_ndtr(z)
    parts = logs.sum(axis=2)
    value = logsumexp(parts, axis=1)
    share = np.exp(parts - value[:, None])
    ratio = share[:, :, None] * np.exp(-0.5 * z * z - _LOG_ROOT_2PI - logs)
    return value, -ratio.sum(axis=1) / deviation, -(ratio * z).sum(axis=1) / deviation


def _improvement(at: Matrix, mean: Matrix, deviation: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """Returns log E[max(at - y, 0)], and the logs of the distribution and density of (at - y)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (at - mean) / deviation
        level = np.where(np.isneginf(z), -np.inf, log_h(z) + np.log(deviation))
        return level, log_ndtr(z), -0.5 * z * z - _LOG_ROOT_2PI
