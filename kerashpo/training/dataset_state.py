"""State of a `PyDataset`: each run of a trial has its own copy, saved in checkpoints.

Many datasets shuffle their indices or count epochs in ``on_epoch_end``. If trials shared one, its
order in a trial would depend on how long the trials before were trained.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable
from typing import Any, final

import keras
import numpy as np

from kerashpo.training.data import FIRST_BATCHES, FitData
from kerashpo.training.user_callbacks import OncePerTrial

_HOOKS = ("on_epoch_begin", "on_epoch_end")
#: Larger arrays, unless they are indices, are samples: copies of a dataset share them.
_MAX_BYTES = 2**20


@final
class DatasetState(keras.callbacks.Callback):
    """Callback that does nothing, but keeps a trial's dataset among what checkpoints save.

    Attributes:
        stateful: the dataset, whose changed attributes are saved.
    """

    def __init__(self, dataset: keras.utils.PyDataset) -> None:
        super().__init__()
        self.stateful = dataset


def dataset_states(data: FitData) -> list[OncePerTrial]:
    """Returns the callback with a trial's own copy of x, if x is a dataset that epochs change."""
    x = data.x
    if not isinstance(x, keras.utils.PyDataset):
        return []
    if not any(
        getattr(type(x), name) is not getattr(keras.utils.PyDataset, name) for name in _HOOKS
    ):
        return []
    mine = _copied(x)
    # `fit` keeps the number of batches of its first epoch.
    vars(mine)[FIRST_BATCHES] = mine.num_batches
    return [OncePerTrial(DatasetState(mine))]


def with_own_dataset(data: FitData, callbacks: Iterable[OncePerTrial]) -> FitData:
    """Returns the data with a trial's own dataset, if it has one, as x."""
    for callback in callbacks:
        if isinstance(callback.wrapped, DatasetState):
            return dataclasses.replace(data, x=callback.wrapped.stateful)
    return data


def _copied(dataset: keras.utils.PyDataset) -> keras.utils.PyDataset:
    """Returns a copy that shares samples, and what cannot be copied, with the dataset."""
    mine, memo = copy.copy(dataset), {id(dataset): dataset}
    for value in _parts(vars(dataset)):
        memo[id(value)] = value
    for name, value in vars(dataset).items():
        try:
            vars(mine)[name] = copy.deepcopy(value, memo)
        except Exception:  # copying may raise any exception, depending on the class
            vars(mine)[name] = value
    return mine


def _parts(attributes: dict[str, Any]) -> Iterable[Any]:
    """Yields the samples among a dataset's attributes: larger arrays, other than indices."""
    for value in keras.tree.flatten(list(attributes.values())):
        size = getattr(value, "nbytes", 0)
        indices = isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "iu"
        if isinstance(size, int) and size > _MAX_BYTES and not indices:
            yield value
