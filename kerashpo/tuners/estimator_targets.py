"""The targets of `SearchCV`: labels, label indicators or numbers; rows split by them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, train_test_split
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from kerashpo.core.errors import InvalidInput
from kerashpo.tuners.estimator_model import Sizes

Kind = Literal["labels", "indicators", "numbers"]


@final
@dataclass(frozen=True, slots=True)
class Targets:
    """What a model of `SearchCV` is trained on.

    Attributes:
        kind: one label per row, a column of 0 and 1 for each of several labels (multi-label
            classification), or numbers (regression).
        y: integers from 0 for labels, else floats.
        classes: the labels, the columns' numbers for indicators, None for a regression.
    """

    kind: Kind
    y: Any
    classes: Any = None

    @property
    def several(self) -> bool:
        """Whether there are several columns."""
        return bool(self.y.ndim > 1)

    def sizes(self, features: int) -> Sizes:
        """Returns what the layers of a model depend on."""
        outputs = self.y.shape[1] if self.several else 1
        known = {"labels": None if self.classes is None else len(self.classes), "indicators": 2}
        return Sizes(features, known.get(self.kind), outputs)

    def strata(self, share: float) -> Any:
        """Returns the labels to stratify by, None where there are none or a class is tiny."""
        if self.kind != "labels":
            return None
        counts = np.bincount(self.y)
        held_out = math.ceil(share * len(self.y))
        possible = counts.min() >= 2 and len(counts) <= min(held_out, len(self.y) - held_out)
        return self.y if possible else None


def read_targets(y: Any, task: str) -> Targets:
    """Returns the targets of a classification or a regression.

    Args:
        y: what `fit` was given, an array.
        task: ``"classification"`` or ``"regression"``.

    Raises:
        InvalidInput: if they are of no kind that SearchCV knows.
    """
    several = y.ndim > 1 and y.shape[1] > 1
    if task == "classification" and several and type_of_target(y) == "multilabel-indicator":
        return _indicators(np.asarray(y, dtype=np.float32))
    try:
        if task == "classification" or not several:
            y = column_or_1d(y, warn=True)
        if task == "regression":
            return Targets("numbers", np.asarray(y, dtype=np.float32))
        check_classification_targets(y)
    except ValueError as error:
        raise InvalidInput(
            f"{error} For numbers, also in several columns, pass task='regression'; several labels "
            "per row are columns of 0 and 1; one-hot labels become labels by np.argmax(y, axis=1)."
        ) from error
    encoder = LabelEncoder().fit(y)
    if len(encoder.classes_) < 2:
        raise InvalidInput("A classifier needs rows of two classes. Received: one class.")
    return Targets("labels", encoder.transform(y), encoder.classes_)


def _indicators(y: Any) -> Targets:
    if (y.sum(axis=1) == 1).all():
        raise InvalidInput(
            f"Each row of y, of shape {y.shape}, has a 1 in one column: these are one-hot labels, "
            "which become labels by np.argmax(y, axis=1). Columns of 0 and 1 are for rows that "
            "may have several labels, or none."
        )
    return Targets("indicators", y, np.arange(y.shape[1]))


def read_groups(groups: Any, y: Any) -> Any:
    """Returns the group of each row as integers.

    Raises:
        InvalidInput: for a missing group, or only one.
        ValueError: for another length.
    """
    groups = column_or_1d(groups)
    check_consistent_length(groups, y)
    try:
        names, numbers = np.unique(groups, return_inverse=True)
    except TypeError as error:
        raise InvalidInput(f"groups must be of one type and have no gaps: {error}.") from error
    if len(names) < 2:
        raise InvalidInput("groups needs rows of two groups at least. Received: one group.")
    return numbers


def held_out_split(targets: Targets, share: float, seed: int, groups: Any) -> tuple[Any, Any]:
    """Returns the rows to train on and those of the validation part.

    Args:
        targets: the rows, stratified by label where they have one and no group.
        share: of the rows, or of the groups, in the validation part.
        seed: the seed of the draw.
        groups: the group of each row, None for none; a group is never divided.
    """
    rows = np.arange(len(targets.y))
    if groups is not None:
        splitter = GroupShuffleSplit(1, test_size=share, random_state=seed)
        return next(splitter.split(rows, groups=groups))  # type: ignore[no-any-return]
    strata = targets.strata(share)
    split = train_test_split(rows, test_size=share, random_state=seed, stratify=strata)
    return split[0], split[1]


def group_folds(groups: Any, folds: int) -> list[tuple[Any, Any]]:
    """Returns the final round's splits of the training rows, by their groups.

    Args:
        groups: the group of each training row.
        folds: how many folds there are, the validation part included.

    Raises:
        InvalidInput: if there are fewer than two groups.
    """
    count = min(folds - 1, len(np.unique(groups)))
    if count < 2:
        raise InvalidInput(
            "The final round needs rows of at least three groups: two to train on and one to "
            "validate on. With fewer, pass estimator='best' or 'ensemble'."
        )
    return list(GroupKFold(count).split(groups, groups=groups))
