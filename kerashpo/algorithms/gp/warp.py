"""Input warping: a monotone map of the unit interval that makes a function stationary.

A learning rate may matter much in one half of its range and little in the other. The
Kumaraswamy distribution function 1 - (1 - x^a)^b stretches one part and shrinks another
(Snoek et al. 2014, "Input warping for Bayesian optimization of non-stationary functions").
"""

from __future__ import annotations

import numpy as np

from kerashpo.algorithms.gp.kernel import Matrix

_EDGE = 1e-6
"""Inputs are clipped to [EDGE, 1 - EDGE]: the slope of x^a is infinite at 0 where a < 1."""


def inside(x: Matrix) -> Matrix:
    """Returns x clipped to the inside of the interval."""
    return np.asarray(np.clip(x, _EDGE, 1.0 - _EDGE))


def bend(x: Matrix, log_a: Matrix, log_b: Matrix) -> Matrix:
    """Returns 1 - (1 - x^a)^b for columns x (n, k), exponents (k,) as logarithms."""
    inner = inside(x) ** np.exp(log_a)
    return np.asarray(1.0 - (1.0 - inner) ** np.exp(log_b))


def slope(x: Matrix, log_a: Matrix, log_b: Matrix) -> Matrix:
    """Returns the derivative of `bend` by x (n, k); at a bound, the value just inside."""
    a, b = np.exp(log_a), np.exp(log_b)
    within = inside(x)
    return np.asarray(a * b * within ** (a - 1.0) * (1.0 - within**a) ** (b - 1.0))


def bend_and_slopes(logs: Matrix, log_a: Matrix, log_b: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """Returns `bend` of exp(logs), and its derivatives by log a and by log b, each (n, k).

    Args:
        logs: log `inside` (n, k), which is constant while exponents are fitted.
        log_a, log_b: (k,).
    """
    a, b = np.exp(log_a), np.exp(log_b)
    inner = np.exp(a * logs)
    outer = 1.0 - inner
    rest = outer**b
    by_a = (a * b) * logs * inner * rest / outer
    return 1.0 - rest, by_a, -b * rest * np.log(outer)
