"""Resampling: the folds of a final round, and a reshuffled validation split for each trial.

A final round trains its finalists by cross-validation whose first fold is the user's own
validation part, so that the search's own runs count as that fold. Reshuffling draws another split
into training and validation rows for each trial (Nagler, Schneider, Bischl and Feurer,
"Reshuffling resampling splits can improve generalization", NeurIPS 2024, arXiv 2405.15393).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.utils.multiclass import type_of_target

from kerashpo.core import rng
from kerashpo.core.errors import InvalidInput
from kerashpo.training.arrays import Triple, length
from kerashpo.training.data import FitData


def final_folds(data: FitData, folds: Any, seed: int) -> tuple[FitData, ...]:
    """Returns the data of each fold of a final round; the first is `data` itself.

    With a number, the training rows are cut into ``folds - 1`` parts, stratified where the
    targets are classes. Each part validates a model that is trained on all other rows, including
    the user's validation part. A scikit-learn splitter (for groups or time series) splits the
    training rows into further folds; these train on the splitter's training rows only, because
    the user's validation part may not be mixed with them.

    Args:
        data: arrays with a validation part.
        folds: the number of folds, including the validation part; or a splitter.
        seed: the study's seed.

    Raises:
        InvalidInput: if the rows cannot be split.
    """
    check_rows(data, "final_round")
    rows = data.samples
    if not isinstance(folds, (int, np.integer)):
        pairs = list(folds.split(np.zeros((rows, 1)), _targets(data)))
        if not pairs:
            raise InvalidInput(f"final_round={folds!r} yields no split of the training rows.")
        return (data, *(_cut(data, train, test) for train, test in pairs))
    parts = int(folds) - 1
    if rows < parts:
        raise InvalidInput(
            f"final_round={folds} cuts the training rows into {parts} parts, but there are "
            f"{rows} rows. Use fewer folds."
        )
    state = rng.integer(seed, "final round") % 2**31
    if parts == 1:
        # One further fold: half of the training rows would be too few to train on.
        splits: Iterable[Any] = [_one_part(data, state)]
    else:
        kind, labels = _kind(data, parts)
        splitter = kind(parts, shuffle=True, random_state=state)
        splits = splitter.split(np.zeros((rows, 1)), labels)
    whole = joined(data)
    return (data, *(_swap(data, whole, train, test) for train, test in splits))


def reshuffled(data: FitData, triple: Triple, seed: int, trial: int) -> FitData:
    """Returns the same rows with another split into training and validation rows.

    The validation part keeps its size; classes are stratified.

    Args:
        data: arrays with a validation part.
        triple: the result of `joined` for them.
        seed: the study's seed.
        trial: the trial's number.
    """
    total, size = length(triple[0]), length(data.validation[0])
    state = rng.integer(seed, "reshuffle", trial) % 2**31
    labels = _labels(triple[1])
    if labels is not None and np.bincount(np.unique(labels, return_inverse=True)[1]).min() < 2:
        labels = None
    train, test = train_test_split(
        np.arange(total), test_size=size, stratify=labels, random_state=state
    )
    return _part(data, triple, np.sort(train), np.sort(test))


def all_rows(data: FitData) -> FitData:
    """Returns data that train on training and validation rows, without validation."""
    x, y, weight = joined(data)
    return dataclasses.replace(data, x=x, y=y, sample_weight=weight, validation=None)


def check_rows(data: FitData, argument: str) -> None:
    """Raises InvalidInput unless rows of the data can be moved between training and validation."""
    if not data.is_arrays:
        raise InvalidInput(
            f"{argument} cuts the data by rows, which a generator or dataset does not allow. Pass "
            "arrays, DataFrames or dicts of them as x, y and validation_data; or average the best "
            "trials with tuner.results.ensemble(10), which works with any data."
        )
    if data.validation is None:
        raise InvalidInput(
            f"{argument} needs a validation part, which is its first fold: pass validation_data "
            "or validation_split."
        )


def _kind(data: FitData, parts: int) -> tuple[Any, Any]:
    labels = _labels(data.y)
    if labels is not None and np.unique(labels, return_counts=True)[1].min() >= parts:
        return StratifiedKFold, labels
    return KFold, None


def _one_part(data: FitData, state: int) -> Any:
    """Returns a split whose validation part is as large as the user's, at most half."""
    rows = data.samples
    size = min(length(data.validation[0]), max(1, rows // 2))
    return train_test_split(np.arange(rows), test_size=size, random_state=state)


def _labels(y: Any) -> Any:
    """Returns class labels for stratification, None if the targets are not classes."""
    if not isinstance(y, np.ndarray):
        return None
    kind = type_of_target(y)
    if kind in ("binary", "multiclass"):
        return y.reshape(-1)
    one_hot = y.ndim == 2 and y.shape[1] > 1 and np.isin(y, (0, 1)).all() and (y.sum(1) == 1).all()
    return y.argmax(axis=1) if one_hot else None


def _targets(data: FitData) -> Any:
    return data.y if isinstance(data.y, np.ndarray) else None


def _cut(data: FitData, train: Any, test: Any) -> FitData:
    """Returns a fold within the training rows alone."""
    return _part(data, (data.x, data.y, data.sample_weight), train, test)


def _swap(data: FitData, whole: Triple, train: Any, test: Any) -> FitData:
    """Returns a fold whose training rows include the user's validation rows."""
    rows = data.samples
    added = np.arange(rows, rows + length(data.validation[0]))
    return _part(data, whole, np.concatenate([train, added]), test)


def joined(data: FitData) -> Triple:
    """Returns training rows followed by validation rows, as (x, y, sample_weight).

    If only one of the two has sample weights, the other gets weights of 1.
    """
    mine: Triple = (data.x, data.y, data.sample_weight)
    theirs: Triple = data.validation
    if (mine[2] is None) != (theirs[2] is None):
        mine, theirs = _with_weights(mine, theirs[2]), _with_weights(theirs, mine[2])
    return keras.tree.map_structure(  # type: ignore[no-any-return]
        lambda a, b: None if a is None else np.concatenate([a, b]), mine, theirs
    )


def _with_weights(triple: Triple, like: Any) -> Triple:
    """Adds weights of 1 in the structure of `like` where there are none."""
    x, y, weight = triple
    if weight is None:
        rows = length(x)
        weight = keras.tree.map_structure(
            lambda leaf: None if leaf is None else np.ones((rows, *leaf.shape[1:]), leaf.dtype),
            like,
        )
    return x, y, weight


def _part(data: FitData, triple: Triple, train: Any, test: Any) -> FitData:
    """Returns data that train on some rows of `triple` and validate on others."""
    x, y, weight = triple
    # Validation is unweighted if the user's validation part is.
    validation = (x, y, None if data.validation[2] is None else weight)
    return dataclasses.replace(
        data,
        x=x,
        y=y,
        sample_weight=weight,
        validation=validation,
        rows=np.asarray(train, np.int32),
        validation_rows=np.asarray(test, np.int32),
    )
