"""Matern kernels over weighted squared distances (Rasmussen and Williams 2006, eq. 4.17).

The square q = sum_j w_j d_j^2 is over features; d_j is the difference of two numbers, or
0 and 1 for equal and different categories. A weight is an inverse squared lengthscale.
Written in q, a kernel and its derivative have no singularity at 0.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

Matrix: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]


class Radial(ABC):
    """A correlation as a function of q."""

    __slots__ = ()

    @abstractmethod
    def value(self, q: Matrix) -> Matrix:
        """Returns the correlation at squares q, elementwise."""

    @abstractmethod
    def value_and_slope(self, q: Matrix) -> tuple[Matrix, Matrix]:
        """Returns the correlation and its derivative by q."""


@final
class Matern32(Radial):
    """(1 + sqrt(3q)) exp(-sqrt(3q)): functions with one derivative."""

    __slots__ = ()

    def value(self, q: Matrix) -> Matrix:
        root = np.sqrt(3.0 * q)
        return (1.0 + root) * np.exp(-root)

    def value_and_slope(self, q: Matrix) -> tuple[Matrix, Matrix]:
        root = np.sqrt(3.0 * q)
        decay = np.exp(-root)
        return (1.0 + root) * decay, -1.5 * decay


@final
class Matern52(Radial):
    """(1 + sqrt(5q) + 5q/3) exp(-sqrt(5q)): functions with two derivatives."""

    __slots__ = ()

    def value(self, q: Matrix) -> Matrix:
        root = np.sqrt(5.0 * q)
        return (1.0 + root + root * root / 3.0) * np.exp(-root)

    def value_and_slope(self, q: Matrix) -> tuple[Matrix, Matrix]:
        root = np.sqrt(5.0 * q)
        decay, rise = np.exp(-root), 1.0 + root
        return (rise + root * root / 3.0) * decay, (-5.0 / 6.0) * rise * decay


@final
@dataclass(frozen=True, slots=True)
class Layout:
    """How the kernel reads each feature.

    Attributes:
        hamming: bool (p,), categories: equal or different, nothing between.
        bent: bool (p,), numbers whose warping is fitted (`kerashpo.algorithms.gp.warp`).
        radial: how correlation falls with distance.
        length: the prior lengthscale of a feature.
    """

    hamming: Mask
    bent: Mask
    radial: Radial
    length: float = 1.0

    @classmethod
    def plain(cls, count: int, radial: Radial) -> Layout:
        """Returns the layout of `count` unwarped numbers."""
        return cls(np.zeros(count, dtype=bool), np.zeros(count, dtype=bool), radial)


@final
@dataclass(frozen=True, slots=True)
class Hyper:
    """The hyperparameters of the Gaussian process.

    Attributes:
        weights: (p,), inverse squared lengthscales.
        scale: the prior variance of the function.
        noise: the variance of the observation noise, the floor included.
        log_a, log_b: (k,), the warping exponents; 0 leaves a feature unwarped.
    """

    weights: Matrix
    scale: float
    noise: float
    log_a: Matrix
    log_b: Matrix


@final
class Squares:
    """Squared distances q to fixed features; their constant parts are cached.

    Args:
        b: features (n, p).
        weights: (p,).
        hamming: bool (p,), categories.
    """

    def __init__(self, b: Matrix, weights: Matrix, hamming: Mask) -> None:
        self._numbers, self._categories = ~hamming, np.flatnonzero(hamming)
        self._weights, self._columns = weights, b[:, hamming]
        self._roots = np.sqrt(weights[self._numbers])
        self._right = (b[:, self._numbers] - 0.5) * self._roots
        self._norms = (self._right * self._right).sum(1)

    def to(self, a: Matrix) -> Matrix:
        """Returns q (m, n) from features `a` (m, p).

        Numbers use |a|^2 + |b|^2 - 2ab, which is a matrix product; centred, because the
        expansion loses digits where coordinates are large.
        """
        left = (a[:, self._numbers] - 0.5) * self._roots
        q = (left * left).sum(1)[:, None] + self._norms - 2.0 * left @ self._right.T
        np.maximum(q, 0.0, out=q)
        for j, column in zip(self._categories, self._columns.T):
            q += self._weights[j] * (a[:, j, None] != column)
        return np.asarray(q)


def squares(a: Matrix, b: Matrix, weights: Matrix, hamming: Mask) -> Matrix:
    """Returns q (m, n) between features `a` (m, p) and `b` (n, p)."""
    return Squares(b, weights, hamming).to(a)
