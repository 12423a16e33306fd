"""What is believed of the hyperparameters before any data.

Optuna 5's choices (`optuna._gp.prior`), which served a measured recipe: a weight is
rarely far below 0.1 or above 10, the scale is near 1 because targets are standardised,
and the noise is small.
"""

from __future__ import annotations

import numpy as np

from kerashpo.algorithms.gp.kernel import Matrix

_WEIGHT = 0.1
_SCALE_SHAPE, _SCALE_RATE = 2.0, 1.0
_NOISE_SHAPE, _NOISE_RATE = 1.1, 30.0


def log_prior(logs: Matrix) -> tuple[float, Matrix]:
    """Returns the log density, up to a constant, and its gradient by the logarithms.

    -(0.1 / w + 0.1 w) for each weight, Gamma(2, 1) for the scale, Gamma(1.1, 30) for the
    noise; densities of the values themselves, not of their logarithms.

    Args:
        logs: (p + 2,), log weights, log scale, log noise.
    """
    values = np.exp(logs)
    weights, scale, noise = values[:-2], values[-2], values[-1]
    down, up = _WEIGHT / weights, _WEIGHT * weights
    value = -float(np.sum(down + up))
    value += (_SCALE_SHAPE - 1.0) * logs[-2] - _SCALE_RATE * scale
    value += (_NOISE_SHAPE - 1.0) * logs[-1] - _NOISE_RATE * noise
    gradient = np.append(
        down - up,
        [
            _SCALE_SHAPE - 1.0 - _SCALE_RATE * scale,
            _NOISE_SHAPE - 1.0 - _NOISE_RATE * noise,
        ],
    )
    return float(value), gradient
