"""Training with `model.fit`, one call a segment of epochs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

import keras
import numpy as np
from keras.utils import PyDataset

from kerashpo.training.build import build_all
from kerashpo.training.data import Arrays, FitData, Triple
from kerashpo.training.loops.base import TrainingLoop
from kerashpo.training.randomness import (
    EpochKeys,
    epoch_order,
    set_layer_seeds,
    set_torch_seed,
    torch_state_kept,
)


@final
class FitLoop(TrainingLoop):
    """`model.fit`, with the order of the samples and the layers' seeds keyed by epoch.

    For arrays the batches come in the order that `EpochKeys` gives, so a resumed trial sees what
    an uninterrupted one would have seen. Pipelines, and arrays with `steps_per_epoch` or
    ``shuffle="batch"``, are handed to `fit` as they are: their order is their own.
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
        with torch_state_kept():
            model.fit(
                **_inputs(data, first, last, keys),
                **_validation(data),
                **data.extra,
                initial_epoch=first - 1,
                epochs=last,
                callbacks=[LayerSeeds(keys), *callbacks],
            )


@final
class LayerSeeds(keras.callbacks.Callback):
    """Sets the seed generators before each epoch."""

    def __init__(self, keys: EpochKeys) -> None:
        super().__init__()
        self._keys = keys

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        set_layer_seeds(self.model, self._keys, epoch + 1)
        set_torch_seed(self._keys, epoch + 1)


def _inputs(data: FitData, first: int, last: int, keys: EpochKeys) -> dict[str, Any]:
    if data.is_arrays and data.steps_per_epoch is None and isinstance(data.shuffle, bool):
        stream = ordered_batches(data, first, last, keys)
        return {"x": stream, "steps_per_epoch": data.steps, "shuffle": False}
    return {
        "x": data.x,
        "y": data.y,
        "sample_weight": data.sample_weight,
        "batch_size": data.batch_size,
        # Keras warns when told to shuffle what only its maker can shuffle.
        "shuffle": data.shuffle if data.is_arrays or isinstance(data.x, PyDataset) else False,
        "class_weight": data.class_weight,
        "steps_per_epoch": data.steps_per_epoch,
    }


def _validation(data: FitData) -> dict[str, Any]:
    if data.validation is None:
        return {}
    size = data.validation_batch if isinstance(data.validation, tuple) else None
    return {
        "validation_data": data.validation,
        "validation_batch_size": size,
        "validation_freq": data.validation_freq,
        "validation_steps": data.validation_steps,
    }


def _orders(data: FitData, first: int, last: int, keys: EpochKeys) -> Iterator[np.ndarray]:
    return (epoch_order(data, epoch, keys) for epoch in range(first, last + 1))


def ordered_batches(data: FitData, first: int, last: int, keys: EpochKeys) -> Any:
    """Returns one stream of all batches of epochs first..last, in their order.

    One stream rather than a dataset an epoch: what is prefetched is then always what comes next.
    """
    if keras.backend.backend() == "tensorflow":
        return _tensorflow_batches(data, first, last, keys)
    return _python_batches(data, first, last, keys)


def _python_batches(data: FitData, first: int, last: int, keys: EpochKeys) -> Iterator[Triple]:
    triple = _without_none(data.weighted())
    for order in _orders(data, first, last, keys):
        for start in range(0, data.samples, data.batch):
            chosen = order[start : start + data.batch]
            yield keras.tree.map_structure(lambda leaf, rows=chosen: leaf[rows], triple)


def _tensorflow_batches(data: FitData, first: int, last: int, keys: EpochKeys) -> Any:
    """The same stream as a `tf.data.Dataset`, gathered in parallel as Keras does for arrays."""
    import tensorflow as tf

    triple = _without_none(data.weighted())
    held = keras.tree.map_structure(tf.convert_to_tensor, keras.tree.lists_to_tuples(triple))
    shape = tf.TensorSpec([data.samples], tf.int32)
    epochs = tf.data.Dataset.from_generator(
        lambda: _orders(data, first, last, keys), output_signature=shape
    )
    rows = epochs.prefetch(1).flat_map(
        lambda order: tf.data.Dataset.from_tensor_slices(order).batch(data.batch)
    )

    def gather(chosen: Any) -> Any:
        return tf.nest.map_structure(lambda leaf: tf.gather(leaf, chosen), held)

    return rows.map(gather, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def _without_none(triple: Triple) -> tuple[Arrays, ...]:
    x, y, weight = triple
    if weight is not None:
        return x, y, weight
    return (x,) if y is None else (x, y)
