"""Baselines without a model: always predict the class frequencies, or the mean."""

from __future__ import annotations

import numpy as np

from kerashpo.problems.splits import Array, Split


def constant_answer(y: Array, classes: int) -> Array:
    """Returns the constant prediction: class frequencies (c,), or means (k,).

    Args:
        y: the training part's targets: labels (n,) or (n, 1), one-hot (n, classes), numbers.
        classes: how many classes there are, 0 for a regression.
    """
    if not classes:
        return np.atleast_1d(np.mean(y, axis=0, dtype=float))
    shares: Array = np.bincount(labels_of(y), minlength=classes) / len(y)
    return shares


def labels_of(y: Array) -> Array:
    """Returns labels (n,) as whole numbers, from labels (n,) or (n, 1), or one-hot (n, classes)."""
    if y.ndim > 1 and y.shape[-1] > 1:
        chosen: Array = np.argmax(y, axis=-1)
        return chosen
    return np.reshape(y, len(y)).astype(int)


def majority(split: Split) -> dict[str, float]:
    """Returns accuracy and log loss of always predicting the training class frequencies."""
    classes, counts = np.unique(split.train[1], return_counts=True)
    shares = dict(zip(classes.tolist(), (counts / counts.sum()).tolist()))
    best = max(shares, key=lambda label: shares[label])
    found: dict[str, float] = {}
    for name, (_, y) in (("val", split.validation), ("test", split.test)):
        found[f"{name}_accuracy"] = float(np.mean(y == best))
        found[f"{name}_loss"] = float(-np.mean([np.log(shares[label]) for label in y.tolist()]))
    return found


def mean_answer(split: Split) -> dict[str, float]:
    """Returns R² and squared error of always predicting the training part's mean.

    R² = 1 - sum((y - answer)²) / sum((y - mean(y))²), as `sklearn.metrics.r2_score`.
    """
    answer = float(np.mean(split.train[1]))
    found: dict[str, float] = {}
    for name, (_, y) in (("val", split.validation), ("test", split.test)):
        error = float(np.mean((y - answer) ** 2))
        found[f"{name}_r2_score"] = 1.0 - error / float(np.var(y))
        found[f"{name}_loss"] = error
    return found
