"""Mean and variance of the process given observations, and their gradients."""

from __future__ import annotations

from typing import final

import numpy as np
from scipy.linalg import lapack, solve_triangular

from kerashpo.algorithms.gp.kernel import Hyper, Mask, Matrix, matern, matern_and_slope, squares
from kerashpo.algorithms.gp.linalg import cholesky

_LEAST_VARIANCE = 1e-12


@final
class Posterior:
    """A Gaussian process with zero prior mean, conditioned on observations.

    Args:
        features: (n, p) of the observations.
        targets: (n,).
        hyper: the hyperparameters.
        hamming: (p,), which features are categories.
    """

    def __init__(self, features: Matrix, targets: Matrix, hyper: Hyper, hamming: Mask) -> None:
        self.features, self.targets, self.hyper = features, targets, hyper
        self._hamming = hamming
        kernel = self._kernel(features)
        kernel.flat[:: len(targets) + 1] += hyper.noise
        self._condition(cholesky(kernel))

    def _condition(self, factor: Matrix) -> None:
        self._factor = factor
        self._alpha = lapack.dpotrs(factor, self.targets, lower=1)[0]

    def _kernel(self, features: Matrix) -> Matrix:
        q = squares(features, self.features, self.hyper.weights, self._hamming)
        return self.hyper.scale * matern(q)

    def mean(self, features: Matrix) -> Matrix:
        """Returns the mean (m,) at features (m, p)."""
        return np.asarray(self._kernel(features) @ self._alpha)

    def predict(self, features: Matrix) -> tuple[Matrix, Matrix]:
        """Returns mean and variance (m,) of the function, without the noise."""
        kernel = self._kernel(features)
        half = solve_triangular(self._factor, kernel.T, lower=True, check_finite=False)
        variance = self.hyper.scale - np.einsum("ij,ij->j", half, half)
        return kernel @ self._alpha, np.maximum(variance, _LEAST_VARIANCE)

    def predict_with_gradient(self, features: Matrix) -> tuple[Matrix, Matrix, Matrix, Matrix]:
        """Returns mean, variance (m,) and their gradients (m, p) by the features.

        The gradient by a category is 0.
        """
        weights = np.where(self._hamming, 0.0, self.hyper.weights)
        q = squares(features, self.features, self.hyper.weights, self._hamming)
        shape, slope = matern_and_slope(q)
        kernel, slope = self.hyper.scale * shape, (2.0 * self.hyper.scale) * slope
        solved = lapack.dpotrs(self._factor, kernel.T, lower=1)[0].T
        variance = self.hyper.scale - np.einsum("ij,ij->i", kernel, solved)
        by_mean, by_variance = slope * self._alpha, -2.0 * slope * solved
        gradients = [
            weights * (features * part.sum(1)[:, None] - part @ self.features)
            for part in (by_mean, by_variance)
        ]
        variance = np.maximum(variance, _LEAST_VARIANCE)
        return kernel @ self._alpha, variance, gradients[0], gradients[1]

    def with_more(self, features: Matrix, targets: Matrix) -> Posterior:
        """Returns the process given further observations, by extending the factor.

        One row at a time costs n^2 where a new factor costs n^3 / 3.
        """
        more = object.__new__(Posterior)
        more.hyper, more._hamming = self.hyper, self._hamming
        more.features = np.vstack([self.features, features])
        more.targets = np.append(self.targets, targets)
        cross = self._kernel(features)
        corner = self.hyper.scale * matern(
            squares(features, features, self.hyper.weights, self._hamming)
        )
        corner.flat[:: len(targets) + 1] += self.hyper.noise
        below = solve_triangular(self._factor, cross.T, lower=True, check_finite=False).T
        n, m = len(self.targets), len(targets)
        factor = np.zeros((n + m, n + m), order="F")
        factor[:n, :n] = self._factor
        factor[n:, :n] = below
        factor[n:, n:] = cholesky(corner - below @ below.T)
        more._condition(factor)
        return more

    def believing(self, features: Matrix) -> Posterior:
        """Returns the process as if these points had returned their mean (Kriging believer).

        Ginsbourger et al. 2010: the mean stays, the variance near pending points goes.
        """
        return self.with_more(features, self.mean(features)) if len(features) else self
