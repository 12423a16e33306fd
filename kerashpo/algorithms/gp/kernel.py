"""Matern-5/2 over weighted squared distances (Rasmussen and Williams 2006, eq. 4.17).

The square q = sum_j w_j d_j^2 is over features; d_j is the difference of two numbers, or
0 and 1 for equal and different categories. A weight is an inverse squared lengthscale.
Written in q, the kernel and its derivative have no singularity at 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

Matrix: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]


@final
@dataclass(frozen=True, slots=True)
class Hyper:
    """The hyperparameters of the process.

    Attributes:
        weights: (p,), inverse squared lengthscales.
        scale: the prior variance of the function.
        noise: the variance of an observation's error, the floor included.
    """

    weights: Matrix
    scale: float
    noise: float


def matern(q: Matrix) -> Matrix:
    """Returns (1 + sqrt(5q) + 5q/3) exp(-sqrt(5q)) for squares q, elementwise."""
    root = np.sqrt(5.0 * q)
    return (1.0 + root + root * root / 3.0) * np.exp(-root)


def matern_and_slope(q: Matrix) -> tuple[Matrix, Matrix]:
    """Returns the kernel and its derivative by q, -(5/6)(1 + sqrt(5q)) exp(-sqrt(5q))."""
    root = np.sqrt(5.0 * q)
    decay = np.exp(-root)
    rise = 1.0 + root
    return (rise + root * root / 3.0) * decay, (-5.0 / 6.0) * rise * decay


def channels(features: Matrix, hamming: Mask) -> Matrix:
    """Returns the squared distances (p, n * n) of all pairs, one row for each feature."""
    n, p = features.shape
    out = np.empty((p, n, n))
    for j in range(p):
        column = features[:, j]
        if hamming[j]:
            np.not_equal(column[:, None], column[None, :], out=out[j], casting="unsafe")
        else:
            np.subtract(column[:, None], column[None, :], out=out[j])
            np.square(out[j], out=out[j])
    return out.reshape(p, n * n)


def squares(a: Matrix, b: Matrix, weights: Matrix, hamming: Mask) -> Matrix:
    """Returns q (m, n) between features `a` (m, p) and `b` (n, p)."""
    numbers = ~hamming
    roots = np.sqrt(weights[numbers])
    # Centred: the expansion below loses digits where the coordinates are large.
    left, right = (a[:, numbers] - 0.5) * roots, (b[:, numbers] - 0.5) * roots
    q = (left * left).sum(1)[:, None] + (right * right).sum(1)[None, :] - 2.0 * left @ right.T
    for j in np.flatnonzero(hamming):
        q += weights[j] * (a[:, j, None] != b[None, :, j])
    return np.asarray(np.maximum(q, 0.0, out=q))
