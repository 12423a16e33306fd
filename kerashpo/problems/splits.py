"""Train, validation and test parts of a data set that is in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kerashpo.problems.task import Array, Split

TEST = 0.2
"""The share of all samples that only winners see."""
VALIDATION = 0.2
"""The share of the rest that decides."""


def split_of(x: Array, y: Array, seed: int, stratify: bool) -> Split:
    """Returns the split of a seed: a fifth to test, a fifth of the rest to validate.

    Args:
        x: the samples (n, ...).
        y: the targets (n,).
        seed: another seed, another split.
        stratify: whether every part keeps the shares of the classes in `y`.
    """
    from sklearn.model_selection import train_test_split

    def cut(x: Array, y: Array, share: float) -> Any:
        classes = y if stratify else None
        return train_test_split(x, y, test_size=share, stratify=classes, random_state=seed)

    x, x_test, y, y_test = cut(x, y, TEST)
    x, x_val, y, y_val = cut(x, y, VALIDATION)
    return Split((x, y), (x_val, y_val), (x_test, y_test))


def mapped(split: Split, of_x: Callable[[Array], Array], of_y: Callable[[Array], Array]) -> Split:
    """Returns the split with both functions applied to each of its parts."""
    parts = (split.train, split.validation, split.test)
    return Split(*((of_x(x), of_y(y)) for x, y in parts))


def standardised(split: Split) -> Split:
    """Returns the split with features of mean 0 and variance 1 on its training part, float32."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(split.train[0])
    return mapped(split, lambda x: scaler.transform(x).astype("float32"), lambda y: y)
