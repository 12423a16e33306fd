"""Train, validation and test parts: at random, by groups, or in time order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerashpo.core.errors import InvalidInput

Array = NDArray[Any]
TEST = 0.2
"""The share of all samples in the test part, on which only winners are evaluated."""
VALIDATION = 0.2
"""The share of the other samples in the validation part."""


@dataclass(frozen=True, slots=True)
class Split:
    """One seed's data in three disjoint parts, each (x, y).

    Samples x (n, ...) are float32, as a rule; y is (n,) or one-hot (n, classes) for classes and
    (n, k) for numbers. A search sees `train` and `validation`; `test` is for its winner alone.
    """

    train: tuple[Any, Array]
    validation: tuple[Any, Array]
    test: tuple[Any, Array]


def split_of(x: Any, y: Array, seed: int, stratify: bool, groups: Array | None = None) -> Split:
    """Returns the split of a seed: a fifth to test, a fifth of the rest to validate.

    Args:
        x: the samples (n, ...), or several arrays of them.
        y: the targets (n, ...).
        seed: another seed, another split.
        stratify: whether every part keeps the shares of the classes in `y`.
        groups: (n,) labels of samples that stay together; shares are then of the groups.
    """
    rows = np.arange(len(y))
    rest, test = _cut(rows, y, seed, TEST, stratify, groups)
    train, validation = _cut(rest, y, seed, VALIDATION, stratify, groups)
    return parts_of(x, y, (train, validation, test))


def split_in_time_order(x: Any, y: Array) -> Split:
    """Returns the one split of rows in time order: the last fifth tests, the one before validates.

    Args:
        x: the samples (n, ...), or several arrays of them.
        y: the targets (n, ...).
    """
    end = len(y) - round(len(y) * TEST)
    middle = end - round(end * VALIDATION)
    rows = np.arange(len(y))
    return parts_of(x, y, (rows[:middle], rows[middle:end], rows[end:]))


def parts_of(x: Any, y: Array, rows: tuple[Array, Array, Array]) -> Split:
    """Returns the split whose parts have the given rows."""
    return Split(*((rows_of(x, part), y[part]) for part in rows))


def rows_of(x: Any, rows: Any) -> Any:
    """Returns the given rows of samples, of each array where a model has several inputs."""
    return _each(x, lambda part: part[rows])


def _each(x: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(x, Mapping):
        return {name: change(part) for name, part in x.items()}
    if isinstance(x, (list, tuple)):
        return type(x)(change(part) for part in x)
    return change(x)


def _cut(
    rows: Array, y: Array, seed: int, share: float, stratify: bool, groups: Array | None
) -> tuple[Array, Array]:
    """Splits rows in two; returns those that stay and the fraction that is split off."""
    from sklearn.model_selection import GroupShuffleSplit, train_test_split

    try:
        if groups is not None:
            cutter = GroupShuffleSplit(1, test_size=share, random_state=seed)
            stay, off = next(cutter.split(rows, groups=groups[rows]))
            return rows[stay], rows[off]
        classes = y[rows] if stratify else None
        return tuple(  # type: ignore[return-value]
            train_test_split(rows, test_size=share, stratify=classes, random_state=seed)
        )
    except ValueError as error:
        raise InvalidInput(
            f"{len(rows)} samples cannot be split into train, validation and test parts: {error}"
        ) from error


def mapped(split: Split, of_x: Callable[[Any], Any], of_y: Callable[[Array], Array]) -> Split:
    """Returns the split with both functions applied to each of its parts."""
    parts = (split.train, split.validation, split.test)
    return Split(*((of_x(x), of_y(y)) for x, y in parts))


def standardised(split: Split) -> Split:
    """Returns the split with features of mean 0 and variance 1 on its training part, float32.

    For a table (n, features) of floats; of several inputs, those that are such tables.

    Raises:
        InvalidInput: if the one input is none. Whole numbers may be tokens, which are not scaled.
    """

    def is_table(part: Any) -> bool:
        return part.ndim == 2 and np.issubdtype(part.dtype, np.floating)

    def scaled(train: Any) -> Callable[[Any], Any]:
        from sklearn.preprocessing import StandardScaler

        if not is_table(train):
            return lambda part: part
        scaler = StandardScaler().fit(train)
        return lambda part: scaler.transform(part).astype("float32")

    x = split.train[0]
    if isinstance(x, Mapping):
        scalers = {name: scaled(part) for name, part in x.items()}
        return mapped(split, lambda x: {n: scalers[n](part) for n, part in x.items()}, _same)
    if isinstance(x, (list, tuple)):
        several = [scaled(part) for part in x]
        return mapped(split, lambda x: type(x)(f(p) for f, p in zip(several, x)), _same)
    if not is_table(x):
        raise InvalidInput(
            "standardised scales a table (n, features) of floats. Received: an array of "
            f"{x.dtype} of shape {x.shape}. Give whole numbers that are quantities as floats, "
            "x.astype('float32'); scale other arrays in a function of your own."
        )
    return mapped(split, scaled(x), _same)


def _same(y: Array) -> Array:
    return y
