"""`FitLoop`: training with `model.fit`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, final

import keras
import numpy as np

from kerashpo.training.arrays import are_numbers, take
from kerashpo.training.build import build_all, built_already
from kerashpo.training.data import FitData
from kerashpo.training.loops.base import TrainingLoop, unfinished
from kerashpo.training.loops.batches import ordered, resumed
from kerashpo.training.python_values import traced_once
from kerashpo.training.randomness import (
    EpochKeys,
    epoch_order,
    set_layer_seeds,
    set_torch_seed,
    torch_state_kept,
)
from kerashpo.training.trained_layers import TrainedLayers


@final
class FitLoop(TrainingLoop):
    """Training loop that calls `model.fit`; sample order and layer seeds are keyed by epoch.

    Arrays and `PyDataset`s come in the order that `EpochKeys` gives, so a resumed trial sees the
    same batches as an uninterrupted one. Other pipelines are passed to `fit` unchanged and keep
    their own order.
    """

    def train(
        self,
        model: keras.Model,
        data: FitData,
        first: int,
        last: int,
        callbacks: list[keras.callbacks.Callback],
        keys: EpochKeys,
    ) -> None:
        """See `TrainingLoop.train`."""
        build_all(model, data)
        TrainedLayers(model).apply()
        traces = traced_once(model)
        with torch_state_kept(), unfinished(model), built_already(model), traces:
            by_rows = _by_rows(model, data)
            for start, stop in _spans(data, first, last, model.steps_per_execution, by_rows):
                inputs = None
                if not by_rows:
                    inputs = ordered(data, start, keys, model.steps_per_execution)
                model.fit(
                    **_training(data, start, inputs, keys, model.steps_per_execution),
                    **_validation(data, model.steps_per_execution),
                    **data.extra,
                    initial_epoch=start - 1,
                    epochs=stop,
                    callbacks=[EpochStart(keys, inputs), *callbacks],
                )
                if model.stop_training:
                    break


@final
class EpochStart(keras.callbacks.Callback):
    """Callback that sets seed generators and the order of the data at the start of each epoch.

    At its end it notes which layers were trained.

    Args:
        keys: the run's keys.
        inputs: an `EpochArrays` or `EpochDataset`; None for other data.
    """

    def __init__(self, keys: EpochKeys, inputs: Any = None) -> None:
        super().__init__()
        self._keys, self._inputs = keys, inputs

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._inputs is not None:
            self._inputs.epoch = epoch + 1
        set_layer_seeds(self.model, self._keys, epoch + 1)
        set_torch_seed(self._keys, epoch + 1)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        TrainedLayers(self.model).note()


def _by_rows(model: keras.Model, data: FitData) -> bool:
    """Whether `fit` gets rows in the epoch's order, and so is called once per epoch.

    That is for large sparse and ragged data, and for a model that overrides `fit`, which may
    choose the batch size or look at the arrays.
    """
    own = not type(model).fit.__module__.startswith("keras.")
    return data.has_rows and (own or not data.trains_on_arrays)


def _spans(
    data: FitData, first: int, last: int, per_execution: int, by_rows: bool
) -> Iterator[tuple[int, int]]:
    """Yields the first and last epoch of each call of `fit`.

    All epochs of one call have equally many batches.
    """
    if by_rows:
        yield from ((epoch, epoch) for epoch in range(first, last + 1))
        return
    if not data.steps_per_epoch or data.batches is None:
        yield first, last
        return

    def steps(epoch: int) -> int:
        return len(data.batches_of(epoch, per_execution)[1])

    for _, epochs in itertools.groupby(range(first, last + 1), steps):
        part = list(epochs)
        yield part[0], part[-1]


def _training(
    data: FitData, first: int, inputs: Any, keys: EpochKeys, per_execution: int
) -> dict[str, Any]:
    if inputs is not None:
        weight = None if data.trains_on_arrays else data.class_weight
        return {"x": inputs, "shuffle": False, "class_weight": weight}
    if data.has_rows:
        order = epoch_order(data, first, keys, per_execution)
        x, y, weight = take(data.weighted(), order)
        return {"x": x, "y": y, "sample_weight": weight, "batch_size": data.batch, "shuffle": False}
    return {
        "x": resumed(data, first),
        "y": data.y,
        "sample_weight": data.sample_weight,
        "batch_size": data.batch_size,
        "shuffle": False,  # a pipeline can only be shuffled where it is defined
        "class_weight": data.class_weight,
        "steps_per_epoch": data.steps_per_epoch,
    }


def _validation(data: FitData, per_execution: int) -> dict[str, Any]:
    if data.validation is None:
        return {}
    arrays = isinstance(data.validation, tuple)
    order = data.validation_order(per_execution) if data.is_arrays else None
    validation = data.validation if order is None else take(data.validation, order)
    return {
        "validation_data": _with_text_as_tensors(validation) if arrays else validation,
        "validation_batch_size": data.validation_batch if arrays else None,
        "validation_freq": data.validation_freq,
        "validation_steps": data.validation_steps if order is None else None,
    }


def _with_text_as_tensors(arrays: Any) -> Any:
    """Returns nested arrays with those of strings as tensors: `fit` takes no numpy strings."""
    if keras.backend.backend() != "tensorflow":
        return arrays
    import tensorflow as tf

    def tensor(leaf: Any) -> Any:
        text = isinstance(leaf, np.ndarray) and not are_numbers(leaf)
        return tf.convert_to_tensor(leaf) if text else leaf

    return keras.tree.map_structure(tensor, arrays)
