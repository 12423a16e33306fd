"""Infers a task from arrays for `Task.from_arrays`: regression or classes, names, splits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from kerashpo.core.errors import InvalidInput, unknown
from kerashpo.core.objective import to_objectives
from kerashpo.objectives import named
from kerashpo.problems.baselines import labels_of
from kerashpo.problems.splits import Array, Split, parts_of, split_in_time_order, split_of

FEWEST = 4
"""Samples of a class, or groups: fewer could not be in all three parts."""
_MOST_CLASSES = 20
"""Different whole numbers among floats; more are taken for quantities."""
_OF_CLASSES = ("acc", "accuracy", "auc", "precision", "recall", "f1_score", "fbeta_score")
_OF_NUMBERS = ("r2_score", "mae", "mse", "rmse", "mape", "msle", "cosine_similarity")


@final
@dataclass(frozen=True, slots=True)
class ArrayData:
    """Samples in memory, and how they are split.

    Attributes:
        x: samples (n, ...), or several arrays of them.
        y: targets as a model is trained on them.
        classes: names, empty for a regression.
        groups: (n,) labels of samples that stay together, None for none.
        in_time_order: whether the rows are in time order.
        prepare: changes each split, None for nothing.
    """

    x: Any
    y: Array
    classes: tuple[str, ...]
    groups: Array | None
    in_time_order: bool
    prepare: Callable[[Split], Split] | None

    @classmethod
    def of(
        cls,
        name: str,
        x: Any,
        y: Any,
        objective: Any,
        classes: bool | Sequence[str] | None,
        groups: Any,
        in_time_order: bool,
        prepare: Callable[[Split], Split] | None,
    ) -> ArrayData:
        """Checks the arguments of `Task.from_arrays`.

        Raises:
            InvalidInput: naming the task and what is wrong.
        """
        if isinstance(y, Mapping):
            raise InvalidInput(
                f"The task {name!r}: y must be one array: a comparison needs a model with one "
                f"output. Received: a dict of {', '.join(map(repr, y))}."
            )
        samples, targets = _samples(name, x, prepare is not None), _array(name, "y", y)
        _check_lengths(name, samples, targets)
        metric = to_objectives(named(objective))[0].name.removeprefix("val_")
        columns = tuple(map(str, getattr(y, "columns", ())))
        targets, names = _targets(name, targets, metric, classes, columns)
        if groups is not None:
            groups = _groups(name, groups, len(targets), in_time_order)
        elif names and not in_time_order:
            _check_counts(name, labels_of(targets), names)
        if prepare is not None and not callable(prepare):
            raise InvalidInput(
                f"The task {name!r}: prepare must be a function of a split. Received: {prepare!r}."
            )
        return cls(samples, targets, names, groups, bool(in_time_order), prepare)

    def number_of(self, positive: int | str | None) -> int | None:
        """Returns the number of a class that is given by its name or number.

        Raises:
            InvalidInput: for another name.
        """
        if not isinstance(positive, str):
            return positive
        if positive not in self.classes:
            raise unknown("class", positive, self.classes)
        return self.classes.index(positive)

    def split(self, seed: int) -> Split:
        """Returns the split of a seed; rows in time order have one for all seeds."""
        if self.in_time_order:
            split = split_in_time_order(self.x, self.y)
        elif self.groups is not None:
            split = split_of(self.x, self.y, seed, stratify=False, groups=self.groups)
        elif self.classes:
            split = _stratified(self, seed)
        else:
            split = split_of(self.x, self.y, seed, stratify=False)
        return split if self.prepare is None else self.prepare(split)


def _stratified(data: ArrayData, seed: int) -> Split:
    """Splits by labels, also where y is one-hot: scikit-learn stratifies one column only."""
    rows = np.arange(len(data.y))
    by_label = split_of(rows, labels_of(data.y), seed, stratify=True)
    return parts_of(data.x, data.y, (by_label.train[0], by_label.validation[0], by_label.test[0]))


def _samples(name: str, x: Any, prepared: bool) -> Any:
    if isinstance(x, Mapping):
        return {key: _floats(name, f"x[{key!r}]", part, prepared) for key, part in x.items()}
    if isinstance(x, (list, tuple)) and x and all(hasattr(part, "shape") for part in x):
        return tuple(_floats(name, f"x[{i}]", part, prepared) for i, part in enumerate(x))
    return _floats(name, "x", x, prepared)


def _floats(name: str, what: str, given: Any, prepared: bool) -> Array:
    """Returns samples as float32; whole numbers, e.g. tokens, stay what they are."""
    found = _array(name, what, given)
    if found.dtype.kind not in "fiub":
        columns = ", ".join(repr(column) for column in _other_columns(given))
        received = f"columns {columns}" if columns else f"{found.dtype}"
        raise InvalidInput(
            f"The task {name!r}: {what} must hold numbers. Received: {received}. Encode texts, "
            "dates and categories as numbers before."
        )
    if found.dtype.kind == "f":
        found = found.astype("float32")
        if not prepared and not np.isfinite(found).all():
            raise InvalidInput(
                f"The task {name!r}: {what} holds NaN or infinity. Fill them in before, or in "
                "prepare=..., a function of each split."
            )
    return found


def _array(name: str, what: str, given: Any) -> Array:
    found = _numbers_of_columns(given)
    if found.ndim == 0 or not len(found):
        raise InvalidInput(
            f"The task {name!r}: {what} must be an array with a row for each sample. "
            f"Received: {given!r}."
        )
    return found


def _numbers_of_columns(given: Any) -> Array:
    """Returns an array; of a table of pandas its numbers, also where columns differ in type."""
    found = np.asarray(given)
    if found.dtype.kind != "O" or not hasattr(given, "to_numpy"):
        return found
    import pandas as pd

    kinds = given.dtypes if found.ndim == 2 else [given.dtype]
    if not all(pd.api.types.is_numeric_dtype(kind) for kind in kinds):
        return found
    return np.asarray(given.to_numpy(dtype="float64", na_value=np.nan))


def _other_columns(given: Any) -> list[Any]:
    """Returns the columns of a table of pandas that hold no numbers; none for an array."""
    if not hasattr(given, "columns"):
        return []
    import pandas as pd

    kinds = zip(given.columns, given.dtypes, strict=True)
    return [column for column, kind in kinds if not pd.api.types.is_numeric_dtype(kind)]


def _check_lengths(name: str, x: Any, y: Array) -> None:
    parts = list(x.values()) if isinstance(x, Mapping) else x if isinstance(x, tuple) else [x]
    counts = {len(part) for part in parts}
    if counts != {len(y)}:
        lengths = ", ".join(map(str, sorted(counts)))
        raise InvalidInput(
            f"The task {name!r}: x and y must have equally many rows. "
            f"Received: {lengths} and {len(y)}."
        )


def _targets(
    name: str,
    y: Array,
    metric: str,
    classes: bool | Sequence[str] | None,
    columns: tuple[str, ...],
) -> tuple[Array, tuple[str, ...]]:
    """Returns targets as trained on and the names of the classes, none for a regression.

    Args:
        name: the task's name.
        y: labels, one-hot labels or numbers.
        metric: the objective's metric, without ``val_``.
        classes: see `Task.from_arrays`.
        columns: the names of the columns of a table; empty for an array.
    """
    if classes is False or (classes is None and not _holds_classes(name, y, metric)):
        return _numbers(name, y), ()
    if y.ndim > 1 and y.shape[-1] > 1:
        return _one_hot(name, y, classes, columns)
    _refuse_missing(name, "y", y)
    labels, codes = _distinct(name, "y", y.reshape(len(y)))
    known = tuple(str(label) for label in labels.tolist())
    return codes.reshape(len(y)), _names(name, classes, known)


def _holds_classes(name: str, y: Array, metric: str) -> bool:
    if y.dtype.kind in "bOUS":
        return True
    if y.dtype.kind not in "fiu":
        raise InvalidInput(
            f"The task {name!r}: y must hold labels or numbers. Received: {y.dtype}."
        )
    if metric.endswith(_OF_CLASSES):
        _refuse_missing(name, "y", y)
    whole = bool(np.equal(np.mod(y, 1), 0).all())
    if metric.endswith(_OF_CLASSES):
        if not whole:
            raise InvalidInput(
                f"The task {name!r}: {metric} counts classes, but y holds numbers such as "
                f"{y.ravel()[0]!r}. Choose another objective, or give y as labels."
            )
        return True
    if metric.endswith(_OF_NUMBERS) or "error" in metric:
        return False
    if y.dtype.kind == "f" and (not whole or len(np.unique(y)) > _MOST_CLASSES):
        return False
    raise InvalidInput(
        f"The task {name!r}: y holds whole numbers, and the objective val_{metric} does not tell "
        "whether they are classes. Say it: classes=True or classes=False."
    )


def _numbers(name: str, y: Array) -> Array:
    if y.dtype.kind not in "fiub":
        raise InvalidInput(f"The task {name!r}: y must hold numbers. Received: {y.dtype}.")
    found = y.astype("float32")
    if found.ndim == 1:
        found = found[:, None]
    if not np.isfinite(found).all():
        raise InvalidInput(f"The task {name!r}: y holds NaN or infinity. Leave such rows out.")
    return found


def _one_hot(
    name: str, y: Array, classes: bool | Sequence[str] | None, columns: tuple[str, ...]
) -> tuple[Array, tuple[str, ...]]:
    if y.ndim != 2 or y.dtype.kind not in "fiub" or not _is_one_hot(y):
        raise InvalidInput(
            f"The task {name!r}: y of shape {y.shape} must be one-hot, a single 1 in each row, "
            "for classes. Several labels a sample are not compared."
        )
    known = columns or tuple(str(number) for number in range(y.shape[1]))
    return y.astype("float32"), _names(name, classes, known)


def _is_one_hot(y: Array) -> bool:
    return bool(np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all())


def _names(
    name: str, classes: bool | Sequence[str] | None, known: tuple[str, ...]
) -> tuple[str, ...]:
    if len(known) < 2:
        raise InvalidInput(
            f"The task {name!r}: y holds one class alone ({', '.join(known)}): nothing to learn."
        )
    if classes is None or isinstance(classes, bool):
        return known
    given = tuple(map(str, classes))
    if len(given) != len(known):
        raise InvalidInput(
            f"The task {name!r}: y holds {len(known)} classes ({', '.join(known[:10])}), and "
            f"classes names {len(given)}."
        )
    return given


def _groups(name: str, groups: Any, count: int, in_time_order: bool) -> Array:
    if in_time_order:
        raise InvalidInput(f"The task {name!r}: give groups or in_time_order=True, not both.")
    found = _array(name, "groups", groups)
    if found.shape != (count,):
        raise InvalidInput(
            f"The task {name!r}: groups must hold a label for each of the {count} samples. "
            f"Received: shape {found.shape}."
        )
    _refuse_missing(name, "groups", found)
    count = len(_distinct(name, "groups", found)[0])
    if count < FEWEST:
        raise InvalidInput(
            f"The task {name!r}: at least {FEWEST} groups are needed for three parts. "
            f"Received: {count}."
        )
    return found


def _refuse_missing(name: str, what: str, labels: Array) -> None:
    """Raises InvalidInput for None, NaN and the like, which would be a class of their own."""
    import pandas as pd

    absent = int(np.asarray(pd.isna(labels)).sum())
    if absent:
        raise InvalidInput(
            f"The task {name!r}: {what} lacks {absent} label(s) (None or NaN). Leave such rows out."
        )


def _distinct(name: str, what: str, labels: Array) -> tuple[Array, Array]:
    """Returns the distinct labels in sorted order, and the number of each sample's."""
    try:
        return np.unique(labels, return_inverse=True)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in labels.tolist()})
        raise InvalidInput(
            f"The task {name!r}: {what} must hold labels of one type, not {' and '.join(kinds)}."
        ) from error


def _check_counts(name: str, labels: Array, names: tuple[str, ...]) -> None:
    counts = np.bincount(labels, minlength=len(names))
    few = int(counts.argmin())
    if counts[few] < FEWEST:
        raise InvalidInput(
            f"The task {name!r}: the class {names[few]!r} has {counts[few]} sample(s); at least "
            f"{FEWEST} are needed to be in all three parts. Leave it out, or join it with another."
        )
