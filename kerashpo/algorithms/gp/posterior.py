"""Mean and variance of the process given observations, and their gradients."""

from __future__ import annotations

from typing import final

import numpy as np
from scipy.linalg import lapack, solve_triangular

from kerashpo.algorithms.gp.kernel import (
    Hyper,
    Layout,
    Matrix,
    Squares,
    squares,
)
from kerashpo.algorithms.gp.linalg import cholesky, inverse_from
from kerashpo.algorithms.gp.warp import bend, slope

_LEAST_VARIANCE = 1e-12


@final
class Posterior:
    """A Gaussian process with zero prior mean, conditioned on observations.

    Args:
        features: (n, p) of the observations.
        targets: (n,).
        hyper: the hyperparameters.
        layout: how to read the features.
    """

    def __init__(self, features: Matrix, targets: Matrix, hyper: Hyper, layout: Layout) -> None:
        self.features, self.targets = features, targets
        self.hyper, self._layout = hyper, layout
        self._seen = self._straightened(features)
        self._squares = Squares(self._seen, hyper.weights, layout.hamming)
        kernel = self._with_seen(self._seen)
        kernel.flat[:: len(targets) + 1] += hyper.noise
        self._condition(cholesky(kernel))

    def _condition(self, factor: Matrix) -> None:
        self._factor = factor
        self._alpha = lapack.dpotrs(factor, self.targets, lower=1)[0]

    def _straightened(self, features: Matrix) -> Matrix:
        bent = self._layout.bent
        if not bent.any():
            return features
        out = features.copy()
        out[:, bent] = bend(features[:, bent], self.hyper.log_a, self.hyper.log_b)
        return out

    def _with_seen(self, straight: Matrix) -> Matrix:
        return self.hyper.scale * self._layout.radial.value(self._squares.to(straight))

    def mean(self, features: Matrix) -> Matrix:
        """Returns the mean (m,) at features (m, p)."""
        return np.asarray(self._with_seen(self._straightened(features)) @ self._alpha)

    def predict(self, features: Matrix) -> tuple[Matrix, Matrix]:
        """Returns mean and variance (m,) of the function, without the noise."""
        kernel = self._with_seen(self._straightened(features))
        half = solve_triangular(self._factor, kernel.T, lower=True, check_finite=False)
        variance = self.hyper.scale - np.einsum("ij,ij->j", half, half)
        return kernel @ self._alpha, np.maximum(variance, _LEAST_VARIANCE)

    def predict_with_gradient(self, features: Matrix) -> tuple[Matrix, Matrix, Matrix, Matrix]:
        """Returns mean, variance (m,) and their gradients (m, p) by the features.

        The gradient by a category is 0.
        """
        straight, steep = self._straightened(features), self._steepness(features)
        q = self._squares.to(straight)
        shape, by_square = self._layout.radial.value_and_slope(q)
        kernel = self.hyper.scale * shape
        by_square *= 2.0 * self.hyper.scale
        solved = lapack.dpotrs(self._factor, kernel.T, lower=1)[0].T
        variance = self.hyper.scale - np.einsum("ij,ij->i", kernel, solved)
        by_mean, by_variance = (
            steep * (straight * part.sum(1)[:, None] - part @ self._seen)
            for part in (by_square * self._alpha, -2.0 * by_square * solved)
        )
        return kernel @ self._alpha, np.maximum(variance, _LEAST_VARIANCE), by_mean, by_variance

    def joint(self, features: Matrix) -> tuple[Matrix, Matrix]:
        """Returns the mean (m,) and the covariance (m, m) of the function at features (m, p)."""
        straight = self._straightened(features)
        kernel = self._with_seen(straight)
        half = solve_triangular(self._factor, kernel.T, lower=True, check_finite=False)
        q = squares(straight, straight, self.hyper.weights, self._layout.hamming)
        covariance = self.hyper.scale * self._layout.radial.value(q) - half.T @ half
        return kernel @ self._alpha, covariance

    def leave_one_out(self) -> tuple[Matrix, Matrix]:
        """Returns mean and variance (n,) of each observation given the others.

        Rasmussen and Williams 2006, eq. 5.12; the variance includes the noise.
        """
        variance = 1.0 / np.diagonal(inverse_from(self._factor))
        return self.targets - self._alpha * variance, variance

    def redrawn(self, normal: Matrix) -> Matrix:
        """Returns the weights (n, s) of the mean had the last observations come out otherwise.

        Args:
            normal: (s, m), standard normal numbers: each row is a joint outcome of the last m
                observations, given the others and around the present values.
        """
        m = normal.shape[1]
        outcomes = np.repeat(self.targets[:, None], len(normal), axis=1)
        outcomes[-m:] += self._factor[-m:, -m:] @ normal.T
        return np.asarray(lapack.dpotrs(self._factor, outcomes, lower=1)[0])

    def means(self, features: Matrix, weights: Matrix) -> Matrix:
        """Returns the means (k, s) at features (k, p) for weights (n, s), see `redrawn`."""
        return np.asarray(self._with_seen(self._straightened(features)) @ weights)

    def mean_gradient(self, features: Matrix, weights: Matrix) -> Matrix:
        """Returns the gradients (k, p) of means at features (k, p), with weights (k, n) of each."""
        straight, steep = self._straightened(features), self._steepness(features)
        _, by_square = self._layout.radial.value_and_slope(self._squares.to(straight))
        part = 2.0 * self.hyper.scale * by_square * weights
        return np.asarray(steep * (straight * part.sum(1)[:, None] - part @ self._seen))

    def _steepness(self, features: Matrix) -> Matrix:
        """Returns weight times derivative of the warping (m, p), 0 for categories."""
        bent = self._layout.bent
        out = np.tile(np.where(self._layout.hamming, 0.0, self.hyper.weights), (len(features), 1))
        if bent.any():
            out[:, bent] *= slope(features[:, bent], self.hyper.log_a, self.hyper.log_b)
        return out

    def with_more(self, features: Matrix, targets: Matrix) -> Posterior:
        """Returns the process given further observations, by extending the factor.

        A row costs n^2 where a new factor costs n^3 / 3.
        """
        more = object.__new__(Posterior)
        more.hyper, more._layout = self.hyper, self._layout
        more.features = np.vstack([self.features, features])
        more.targets = np.append(self.targets, targets)
        straight = self._straightened(features)
        more._seen = np.vstack([self._seen, straight])
        q = squares(straight, straight, self.hyper.weights, self._layout.hamming)
        corner = self.hyper.scale * self._layout.radial.value(q)
        corner.flat[:: len(targets) + 1] += self.hyper.noise
        cross = self._with_seen(straight)
        below = solve_triangular(self._factor, cross.T, lower=True, check_finite=False).T
        n = len(self.targets)
        factor = np.zeros((n + len(targets),) * 2, order="F")
        factor[:n, :n], factor[n:, :n] = self._factor, below
        factor[n:, n:] = cholesky(corner - below @ below.T)
        more._squares = Squares(more._seen, self.hyper.weights, self._layout.hamming)
        more._condition(factor)
        return more

    def believing(self, features: Matrix) -> Posterior:
        """Returns the process as if these points had returned their mean (Kriging believer).

        Ginsbourger et al. 2010: the mean is unchanged, the variance near pending points falls.
        """
        return self.with_more(features, self.mean(features)) if len(features) else self
