"""What is believed of the hyperparameters before any data.

The first three are Optuna 5's (`optuna._gp.prior`), which served a measured recipe: a
weight is rarely far below 0.1 or above 10, the scale is near 1 because targets are
standardised, and the noise is small. Exponents are near 1: most scales are well declared.
"""

from __future__ import annotations

import numpy as np

from kerashpo.algorithms.gp.kernel import Matrix

_WEIGHT = 0.1
_SCALE_SHAPE, _SCALE_RATE = 2.0, 1.0
_NOISE_SHAPE, _NOISE_RATE = 1.1, 30.0
_BEND_DEVIATION = 0.5


def log_prior(logs: Matrix, count: int) -> tuple[float, Matrix]:
    """Returns the log density, up to a constant, and its gradient by the logarithms.

    -(0.1 / w + 0.1 w) for each weight, Gamma(2, 1) for the scale, Gamma(1.1, 30) for the
    noise: densities of the values themselves, not of their logarithms. The logarithms of
    the exponents are normal about 0.

    Args:
        logs: log weights (count,), log scale, log noise, log exponents.
        count: how many weights there are.
    """
    weights = np.exp(logs[:count])
    scale, noise = np.exp(logs[count : count + 2])
    bends = logs[count + 2 :] / _BEND_DEVIATION
    down, up = _WEIGHT / weights, _WEIGHT * weights
    value = -float(np.sum(down + up)) - 0.5 * float(bends @ bends)
    value += (_SCALE_SHAPE - 1.0) * float(logs[count]) - _SCALE_RATE * float(scale)
    value += (_NOISE_SHAPE - 1.0) * float(logs[count + 1]) - _NOISE_RATE * float(noise)
    by_scale = _SCALE_SHAPE - 1.0 - _SCALE_RATE * scale
    by_noise = _NOISE_SHAPE - 1.0 - _NOISE_RATE * noise
    return value, np.concatenate([down - up, [by_scale, by_noise], -bends / _BEND_DEVIATION])
