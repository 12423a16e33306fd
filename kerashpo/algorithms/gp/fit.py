"""Hyperparameters of highest posterior density (MAP), with analytic gradients."""

from __future__ import annotations

import math
from typing import final

import numpy as np
from scipy.linalg import lapack
from scipy.optimize import minimize

from kerashpo.algorithms.gp.kernel import (
    Hyper,
    Layout,
    Matrix,
    squares,
)
from kerashpo.algorithms.gp.linalg import cholesky, inverse_from
from kerashpo.algorithms.gp.priors import log_prior
from kerashpo.algorithms.gp.warp import bend_and_slopes, inside

FLOOR = 1e-6
"""The least noise variance of standardised targets."""

_LOG_BOUNDS = (math.log(1e-4), math.log(1e4))
_NOISE_BOUNDS = (math.log(1e-7), math.log(10.0))
_BEND_BOUNDS = (-1.5, 1.5)
_START_NOISE = math.log(1e-2)
_STEPS, _FEW_STEPS = 60, 10
ENOUGH, ROUGHLY = 1e-4, 1e-2
"""Relative change of the log posterior density to stop at: models that differ by a hundredth
of a nat are equivalent, and half a nat is enough where a finer fit follows."""


def fit(
    features: Matrix,
    targets: Matrix,
    layout: Layout,
    floor: float = FLOOR,
    start: Hyper | None = None,
    enough: float = ENOUGH,
) -> Hyper:
    """Returns the maximum a posteriori hyperparameters for standardised targets.

    The result depends only on the arguments, not on earlier fits, so that a resumed study
    continues like an uninterrupted one.

    Args:
        features: (n, p), without NaN.
        targets: (n,), about 0 with variance about 1.
        layout: how to read the features.
        floor: added to the fitted noise variance.
        start: where to start; only a few steps follow then.
        enough: the relative change of the log posterior density to stop at.
    """
    evidence = TrainingData(features, targets, layout, floor)
    p, k = features.shape[1], int(layout.bent.sum())
    found = minimize(
        evidence.negative_log_posterior,
        evidence.start() if start is None else evidence.logs(start),
        jac=True,
        method="L-BFGS-B",
        bounds=[_LOG_BOUNDS] * (p + 1) + [_NOISE_BOUNDS] + [_BEND_BOUNDS] * (2 * k),
        options={"maxiter": _STEPS if start is None else _FEW_STEPS, "ftol": enough, "gtol": 1e-3},
    )
    return evidence.hyper(found.x)


@final
class TrainingData:
    """The log posterior density of hyperparameters given observations, and its gradient.

    Its argument is one vector (p + 2 + 2k,): the logarithms of the weights, the scale and
    the noise, then those of both exponents of the k warped features.

    Args:
        features: (n, p), without NaN.
        targets: (n,).
        layout: how to read the features.
        floor: added to the noise variance.
    """

    def __init__(self, features: Matrix, targets: Matrix, layout: Layout, floor: float) -> None:
        self._features, self._targets, self._floor = features, targets, floor
        self._radial, self._length = layout.radial, layout.length
        self._numbers = np.flatnonzero(~layout.hamming)
        self._bent = np.flatnonzero(layout.bent)
        self._bent_numbers = np.flatnonzero(layout.bent[self._numbers])
        self._logs = np.log(inside(features[:, self._bent]))
        self._hamming = np.flatnonzero(layout.hamming)
        self._plain = np.zeros(len(self._numbers), dtype=bool)
        columns = features[:, self._hamming].T
        unequal = (columns[:, :, None] != columns[:, None, :]).astype(float)
        self._unequal = unequal.reshape(len(columns), len(features) ** 2)

    def start(self) -> Matrix:
        """Returns weights and scale of 1, a little noise, no warping.

        These lengthscales are shorter than the prior's: started from long ones the optimiser
        ends more often where structure is taken for noise (measured, `experiments/suggestions`).
        """
        p, k = self._features.shape[1], len(self._bent)
        logs = np.zeros(p + 2 + 2 * k)
        logs[p + 1] = _START_NOISE
        return logs

    def logs(self, hyper: Hyper) -> Matrix:
        """Returns the vector of logarithms of hyperparameters."""
        noise = max(hyper.noise - self._floor, math.exp(_NOISE_BOUNDS[0]))
        scales = np.append(hyper.weights, [hyper.scale, noise])
        return np.concatenate([np.log(scales), hyper.log_a, hyper.log_b])

    def hyper(self, logs: Matrix) -> Hyper:
        """Returns the hyperparameters of a vector of logarithms."""
        p, k = self._features.shape[1], len(self._bent)
        weights, tail = np.exp(logs[:p]), logs[p + 2 :]
        scale, noise = math.exp(logs[p]), math.exp(logs[p + 1]) + self._floor
        return Hyper(weights, scale, noise, tail[:k], tail[k:])

    def negative_log_posterior(self, logs: Matrix) -> tuple[float, Matrix]:
        """Returns minus the log posterior density, up to a constant, and its gradient."""
        value, gradient = self.negative_log_likelihood(logs)
        prior, prior_gradient = log_prior(logs, self._features.shape[1], self._length)
        return value - prior, gradient - prior_gradient

    def negative_log_likelihood(self, logs: Matrix) -> tuple[float, Matrix]:
        """Returns minus the log marginal likelihood (Rasmussen and Williams 2006, 5.9)."""
        hyper, n = self.hyper(logs), len(self._targets)
        numbers, by_exponents = self._straightened(hyper)
        shape, slope = self._radial.value_and_slope(self._squares(numbers, hyper))
        kernel = hyper.scale * shape
        kernel.flat[:: n + 1] += hyper.noise
        factor = cholesky(kernel)
        alpha = lapack.dpotrs(factor, self._targets, lower=1)[0]
        value = 0.5 * float(self._targets @ alpha) + float(np.log(np.diagonal(factor)).sum())
        by_kernel = 0.5 * (inverse_from(factor) - np.outer(alpha, alpha))
        by_scale = hyper.scale * float(np.vdot(by_kernel, shape))
        by_noise = (hyper.noise - self._floor) * float(np.trace(by_kernel))
        by_weights, by_bends = self._by_features(
            by_kernel * slope * hyper.scale, numbers, hyper, by_exponents
        )
        gradient = np.concatenate([by_weights, [by_scale, by_noise], by_bends])
        return value + 0.5 * n * math.log(2.0 * math.pi), gradient

    def _straightened(self, hyper: Hyper) -> tuple[Matrix, Matrix]:
        """Returns the warped numbers (n, p'), and their derivatives by log exponents (2, n, k)."""
        numbers = self._features[:, self._numbers]
        bent, *slopes = bend_and_slopes(self._logs, hyper.log_a, hyper.log_b)
        numbers[:, self._bent_numbers] = bent
        return numbers, np.array(slopes)

    def _squares(self, numbers: Matrix, hyper: Hyper) -> Matrix:
        q = squares(numbers, numbers, hyper.weights[self._numbers], self._plain)
        if len(self._hamming):
            q += (hyper.weights[self._hamming] @ self._unequal).reshape(q.shape)
        return q

    def _by_features(
        self, by_square: Matrix, numbers: Matrix, hyper: Hyper, by_exponents: Matrix
    ) -> tuple[Matrix, Matrix]:
        """Returns the gradients by log weights (p,) and by log exponents (2k,).

        With S = d value / dq symmetric: sum_ij S_ij (x_i - x_j)^2 = 2 (x^2 . S1 - x.Sx),
        and the derivative by x_i is 4 w (x_i (S1)_i - (Sx)_i): one matrix product serves both.
        """
        pull = numbers * by_square.sum(1)[:, None] - by_square @ numbers
        weights = hyper.weights[self._numbers]
        by_weights = np.empty_like(hyper.weights)
        by_weights[self._numbers] = 2.0 * weights * (numbers * pull).sum(0)
        by_weights[self._hamming] = hyper.weights[self._hamming] * (
            self._unequal @ by_square.ravel()
        )
        by_number = (4.0 * weights * pull)[:, self._bent_numbers]
        return by_weights, (by_number * by_exponents).sum(1).ravel()
