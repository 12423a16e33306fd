"""Acquisition functions of the posterior mean and standard deviation; targets are minimised.

Every acquisition is returned as its logarithm or in units of the target, never as a
product that underflows, with its derivatives by mean and standard deviation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scipy.special import erfcx, log_ndtr

from kerashpo.algorithms.gp.kernel import Matrix
from kerashpo.core.errors import unknown

Scores: TypeAlias = "tuple[Matrix, Matrix, Matrix]"
"""Value, derivative by the mean, derivative by the standard deviation, each (m,)."""
Acquisition: TypeAlias = Callable[[Matrix, Matrix], Scores]
"""From mean and standard deviation (m,) to scores; more is better."""

_LOG_ROOT_2PI = 0.5 * math.log(2.0 * math.pi)
_HALF_LOG_HALF_PI = 0.5 * math.log(0.5 * math.pi)
_MARGIN = 0.01
_FAR = -1.0 / math.sqrt(np.finfo(float).eps)


def log_h(z: Matrix) -> Matrix:
    """Returns log(phi(z) + z Phi(z)), exact in the far tails (Ament et al. 2023, eq. 9)."""
    z = np.asarray(z, dtype=float)
    out = np.empty_like(z)
    near, far = z > -1.0, z <= _FAR
    for part, piece in ((near, _near), (far, _far), (~(near | far), _between)):
        if part.any():
            out[part] = piece(z[part])
    return out


def _near(z: Matrix) -> Matrix:
    phi = np.exp(-0.5 * z * z - _LOG_ROOT_2PI)
    return np.asarray(np.log(phi + z * np.exp(log_ndtr(z))))


def _between(z: Matrix) -> Matrix:
    tail = np.log(erfcx(-z / math.sqrt(2.0)) * np.abs(z)) + _HALF_LOG_HALF_PI
    return np.asarray(-0.5 * z * z - _LOG_ROOT_2PI + np.log(-np.expm1(tail)))


def _far(z: Matrix) -> Matrix:
    return np.asarray(-0.5 * z * z - _LOG_ROOT_2PI - 2.0 * np.log(-z))


def log_expected_improvement(mean: Matrix, deviation: Matrix, best: float | Matrix) -> Scores:
    """Returns log E[max(best - target, 0)]."""
    z = (best - mean) / deviation
    level = log_h(z)
    # d log h / dz = Phi / h; the standard deviation enters through z and as a factor.
    steep = np.exp(log_ndtr(z) - level)
    return level + np.log(deviation), -steep / deviation, (1.0 - z * steep) / deviation


def expected_improvement(mean: Matrix, deviation: Matrix, best: float) -> Scores:
    """Returns E[max(best - target, 0)] (Jones et al. 1998)."""
    level, by_mean, by_deviation = log_expected_improvement(mean, deviation, best)
    value = np.exp(level)
    return value, value * by_mean, value * by_deviation


def log_probability_of_improvement(mean: Matrix, deviation: Matrix, best: float) -> Scores:
    """Returns log P[target < best - 0.01].

    Without a margin (Kushner 1964) the smallest improvement is the most probable one, and
    a search advances in tiny steps. Targets are standardised: 0.01 of a standard deviation.
    """
    z = (best - _MARGIN - mean) / deviation
    level = log_ndtr(z)
    steep = np.exp(-0.5 * z * z - _LOG_ROOT_2PI - level)
    return level, -steep / deviation, -z * steep / deviation


def lower_confidence_bound(mean: Matrix, deviation: Matrix, beta: float) -> Scores:
    """Returns minus (mean - beta * deviation): KerasTuner's acquisition and its `beta`."""
    ones = np.ones_like(mean)
    return beta * deviation - mean, -ones, beta * ones


ACQUISITIONS = ("logei", "ei", "pi", "ucb")


def make_acquisition(name: str, best: float, beta: float) -> Acquisition:
    """Returns an acquisition by name.

    Args:
        name: one of `ACQUISITIONS`; "pi" is its logarithm, which has the same maximum.
        best: the target to improve on.
        beta: number of standard deviations in "ucb".

    Raises:
        InvalidInput: for another name.
    """
    match name:
        case "logei":
            return lambda mean, deviation: log_expected_improvement(mean, deviation, best)
        case "ei":
            return lambda mean, deviation: expected_improvement(mean, deviation, best)
        case "pi":
            return lambda mean, deviation: log_probability_of_improvement(mean, deviation, best)
        case "ucb":
            return lambda mean, deviation: lower_confidence_bound(mean, deviation, beta)
    raise unknown("acquisition", name, ACQUISITIONS)
