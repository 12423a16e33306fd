"""Bending the unit interval, so that a function becomes stationary along it.

A learning rate may matter much in one half of its range and little in the other. The
Kumaraswamy distribution function 1 - (1 - x^a)^b stretches one part and shrinks another
(Snoek et al. 2014, "Input warping for Bayesian optimization of non-stationary functions").
"""

from __future__ import annotations

import numpy as np

from kerashpo.algorithms.gp.kernel import Matrix

_EDGE = 1e-6
"""The bent interval ends here: the slope of x^a is infinite at 0 where a < 1."""


def bend(x: Matrix, log_a: Matrix, log_b: Matrix) -> Matrix:
    """Returns 1 - (1 - x^a)^b for columns x (n, k), exponents (k,) as logarithms."""
    inner = np.clip(x, _EDGE, 1.0 - _EDGE) ** np.exp(log_a)
    return np.asarray(1.0 - (1.0 - inner) ** np.exp(log_b))


def slope(x: Matrix, log_a: Matrix, log_b: Matrix) -> Matrix:
    """Returns the derivative of `bend` by x (n, k), at the edge what it is just inside."""
    a, b = np.exp(log_a), np.exp(log_b)
    inside = np.clip(x, _EDGE, 1.0 - _EDGE)
    return np.asarray(a * b * inside ** (a - 1.0) * (1.0 - inside**a) ** (b - 1.0))


def slopes_by_exponents(x: Matrix, log_a: Matrix, log_b: Matrix) -> tuple[Matrix, Matrix]:
    """Returns the derivatives of `bend` by log a and by log b, each (n, k)."""
    a, b = np.exp(log_a), np.exp(log_b)
    inside = np.clip(x, _EDGE, 1.0 - _EDGE)
    inner = inside**a
    outer = 1.0 - inner
    by_a = a * b * outer ** (b - 1.0) * inner * np.log(inside)
    by_b = -b * outer**b * np.log(outer)
    return by_a, by_b
