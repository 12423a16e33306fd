"""Hyperparameters of highest posterior density (MAP), with analytic gradients."""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import lapack
from scipy.optimize import minimize

from kerashpo.algorithms.gp.kernel import Hyper, Mask, Matrix, channels, matern_and_slope
from kerashpo.algorithms.gp.linalg import cholesky, inverse_from
from kerashpo.algorithms.gp.priors import log_prior

FLOOR = 1e-6
"""The least noise variance of standardised targets."""

_LOG_BOUNDS = (math.log(1e-4), math.log(1e4))
_NOISE_BOUNDS = (math.log(1e-7), math.log(10.0))
_START = (0.0, 0.0, math.log(1e-2))


def fit(
    features: Matrix,
    targets: Matrix,
    hamming: Mask,
    floor: float = FLOOR,
    steps: int = 60,
) -> Hyper:
    """Returns the hyperparameters that best explain standardised targets.

    Always from the same start: it depends on nothing but its arguments, so that a resumed
    study continues as the uninterrupted one.

    Args:
        features: (n, p), without NaN.
        targets: (n,), about 0 with variance about 1.
        hamming: (p,), which features are categories.
        floor: added to the fitted noise variance.
        steps: at most so many L-BFGS-B iterations.
    """
    p = features.shape[1]
    start = np.array([_START[0]] * p + [_START[1], _START[2]])
    bounds = [_LOG_BOUNDS] * (p + 1) + [_NOISE_BOUNDS]
    pairs = channels(features, hamming)
    found = minimize(
        negative_log_posterior,
        start,
        args=(pairs, targets, floor),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": steps, "ftol": 1e-6, "gtol": 1e-3},
    )
    values = np.exp(found.x)
    return Hyper(values[:-2], float(values[-2]), float(values[-1]) + floor)


def negative_log_posterior(
    logs: Matrix, pairs: Matrix, targets: Matrix, floor: float
) -> tuple[float, Matrix]:
    """Returns minus the log posterior and its gradient (Rasmussen and Williams 2006, 5.9).

    Args:
        logs: (p + 2,), log weights, log scale, log noise.
        pairs: (p, n * n), squared distances by feature.
        targets: (n,).
        floor: added to the noise variance.
    """
    value, gradient = negative_log_likelihood(logs, pairs, targets, floor)
    prior, prior_gradient = log_prior(logs)
    return value - prior, gradient - prior_gradient


def negative_log_likelihood(
    logs: Matrix, pairs: Matrix, targets: Matrix, floor: float
) -> tuple[float, Matrix]:
    """Returns minus the log marginal likelihood and its gradient by the logarithms."""
    n = len(targets)
    values = np.exp(logs)
    weights, scale, noise = values[:-2], values[-2], values[-1]
    q = (weights @ pairs).reshape(n, n)
    shape, slope = matern_and_slope(q)
    kernel = scale * shape
    kernel.flat[:: n + 1] += noise + floor
    factor = cholesky(kernel)
    alpha, _ = lapack.dpotrs(factor, targets, lower=1)
    half = inverse_from(factor)
    value = 0.5 * float(targets @ alpha) + float(np.log(np.diagonal(factor)).sum())
    half -= np.outer(alpha, alpha)
    half *= 0.5
    by_weights = weights * (pairs @ (half * slope).ravel()) * scale
    by_scale = scale * float(np.vdot(half, shape))
    by_noise = noise * float(np.trace(half))
    gradient = np.append(by_weights, [by_scale, by_noise])
    return value + 0.5 * n * math.log(2.0 * math.pi), gradient
