"""Priors of the kernel's hyperparameters.

A lengthscale is log-normal about the length that the layout gives, as in Hvarfner et
al. 2024 ("Vanilla Bayesian optimization performs great in high dimensions"), but with a
smaller variance, since twenty observations determine it poorly. The scale is near 1 because
targets are standardised, and the noise is small (both as in Optuna 5, `optuna._gp.prior`).
Warping exponents are near 1: most parameters are declared on a suitable scale.
"""

from __future__ import annotations

import math

import numpy as np

from kerashpo.algorithms.gp.kernel import Matrix

_LENGTH_DEVIATION = 1.0
_SCALE_SHAPE, _SCALE_RATE = 2.0, 1.0
_NOISE_SHAPE, _NOISE_RATE = 1.1, 30.0
_BEND_DEVIATION = 0.5


def log_prior(logs: Matrix, count: int, length: float) -> tuple[float, Matrix]:
    """Returns the log density, up to a constant, and its gradient by the logarithms.

    Gamma(2, 1) for the scale and Gamma(1.1, 30) for the noise are densities of the values
    themselves, not of their logarithms. The logarithms of lengthscales and exponents are
    normal, about log `length` and 0.

    Args:
        logs: log weights (count,), log scale, log noise, log exponents.
        count: how many weights there are.
        length: the prior lengthscale.
    """
    # log l = -log(w) / 2
    lengths = (0.5 * logs[:count] + math.log(length)) / _LENGTH_DEVIATION
    scale, noise = np.exp(logs[count : count + 2])
    bends = logs[count + 2 :] / _BEND_DEVIATION
    value = -0.5 * float(lengths @ lengths) - 0.5 * float(bends @ bends)
    value += (_SCALE_SHAPE - 1.0) * float(logs[count]) - _SCALE_RATE * float(scale)
    value += (_NOISE_SHAPE - 1.0) * float(logs[count + 1]) - _NOISE_RATE * float(noise)
    by_scale = _SCALE_SHAPE - 1.0 - _SCALE_RATE * scale
    by_noise = _NOISE_SHAPE - 1.0 - _NOISE_RATE * noise
    by_weights = -0.5 * lengths / _LENGTH_DEVIATION
    return value, np.concatenate([by_weights, [by_scale, by_noise], -bends / _BEND_DEVIATION])
