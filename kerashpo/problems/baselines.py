"""Baselines: the class frequencies, the mean, and simple rivals from scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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


def mean_error(split: Split) -> dict[str, float]:
    """Returns the squared error of always predicting the training part's mean, as mse and loss."""
    answer = float(np.mean(split.train[1]))
    return squared_errors(split, lambda x: np.full(len(x), answer))


def ridge_error(split: Split) -> dict[str, float]:
    """Returns the squared error of a ridge regression whose penalty the validation part chose.

    Samples of any shape are flattened; it is fitted on the training part alone.
    """
    from sklearn.linear_model import Ridge

    def flat(x: Array) -> Array:
        return x.reshape(len(x), -1)

    x, y = split.train

    def errors(penalty: float) -> dict[str, float]:
        fit = Ridge(penalty).fit(flat(x), y.ravel())
        return squared_errors(split, lambda samples: fit.predict(flat(samples)))

    return min(map(errors, 10.0 ** np.arange(-1, 6)), key=lambda found: found["val_mse"])


def squared_errors(split: Split, predict: Callable[[Any], Array]) -> dict[str, float]:
    """Returns the mean squared error of predictions on both parts, as mse and loss."""
    found: dict[str, float] = {}
    for name, (x, y) in (("val", split.validation), ("test", split.test)):
        error = float(np.mean((predict(x) - y.ravel()) ** 2))
        found |= {f"{name}_mse": error, f"{name}_loss": error}
    return found


def accuracies(split: Split, predict: Callable[[Any], Array]) -> dict[str, float]:
    """Returns the accuracy of predicted labels (n,) on both parts."""
    parts = (("val", split.validation), ("test", split.test))
    return {f"{name}_accuracy": float(np.mean(predict(x) == y)) for name, (x, y) in parts}
