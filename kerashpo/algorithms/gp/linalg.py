"""Cholesky factors with jitter."""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from kerashpo.algorithms.gp.kernel import Matrix

_JITTERS = (0.0, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2)


def cholesky(matrix: Matrix) -> Matrix:
    """Returns the lower Cholesky factor (n, n) of a symmetric, numerically semi-definite matrix.

    If the factorisation fails, the smallest sufficient power of ten times the mean diagonal
    is added as jitter.

    Raises:
        numpy.linalg.LinAlgError: if a hundredth of the diagonal does not help either, or
            an entry is not finite.
    """
    for jitter in _JITTERS:
        lifted = matrix if jitter == 0.0 else _lifted(matrix, jitter)
        factor, info = lapack.dpotrf(lifted, lower=1, clean=1)
        if info == 0 and np.isfinite(factor[-1, -1]):
            return np.asarray(factor)
    raise np.linalg.LinAlgError("the kernel matrix is not positive definite")


def _lifted(matrix: Matrix, jitter: float) -> Matrix:
    typical = float(np.mean(np.diagonal(matrix)))
    return np.asarray(matrix + jitter * typical * np.eye(len(matrix)))


def inverse_from(factor: Matrix) -> Matrix:
    """Returns the inverse of the matrix whose lower factor is given."""
    lower, _ = lapack.dpotri(factor, lower=1)
    # The upper triangle is that of `factor`, zeros.
    full = lower + lower.T
    full.flat[:: len(full) + 1] *= 0.5
    return np.asarray(full)
