"""Data adapters for `model.fit`: batches in an order that is keyed by epoch."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any, final

import keras
import numpy as np
from keras.src.trainers.data_adapters import data_adapter_utils
from keras.src.trainers.data_adapters.data_adapter import DataAdapter
from keras.utils import PyDataset

from kerashpo.training.arrays import take
from kerashpo.training.data import FitData
from kerashpo.training.randomness import EpochKeys, batch_order, epoch_order
from kerashpo.training.recorded_batches import RecordedDataset

#: From an epoch, counted from 1, to the order of its samples or batches.
Order = Callable[[int], np.ndarray]


@final
class EpochArrays(DataAdapter):
    """Keras data adapter of arrays; each epoch has its own order of samples.

    Args:
        arrays: nested arrays as `fit` would slice them.
        order: returns the rows of an epoch.
        batch: samples per batch.
        epoch: the first epoch, counted from 1; a callback sets the current one.
    """

    def __init__(self, arrays: Any, order: Order, batch: int, epoch: int) -> None:
        self._arrays, self._order, self._batch = arrays, order, batch
        self.epoch = epoch

    def get_numpy_iterator(self) -> Iterator[Any]:
        """See `DataAdapter`."""
        order = self._order(self.epoch)
        for start in range(0, len(order), self._batch):
            yield take(self._arrays, order[start : start + self._batch])

    get_jax_iterator = get_numpy_iterator

    def get_torch_dataloader(self) -> Any:
        """See `DataAdapter`."""
        return data_adapter_utils.get_torch_dataloader(self.get_numpy_iterator())

    def get_tf_dataset(self) -> Any:
        """Returns a dataset of one epoch's batches, gathered in parallel as Keras does."""
        import tensorflow as tf

        held = keras.tree.map_structure(
            lambda leaf: None if leaf is None else tf.convert_to_tensor(leaf),
            keras.tree.lists_to_tuples(self._arrays),
        )
        # TensorFlow never releases the function passed to `from_generator`, so it must not hold
        # a reference to the arrays.
        this = weakref.ref(self)

        def order_of_epoch() -> Iterator[np.ndarray]:
            if (mine := this()) is not None:
                yield mine._order(mine.epoch)

        orders = tf.data.Dataset.from_generator(
            order_of_epoch,
            output_signature=tf.TensorSpec([None], tf.int32),
        )
        rows = orders.flat_map(
            lambda order: tf.data.Dataset.from_tensor_slices(order).batch(self._batch)
        )

        def gather(chosen: Any) -> Any:
            return keras.tree.map_structure(
                lambda leaf: None if leaf is None else tf.gather(leaf, chosen), held
            )

        count = tf.data.experimental.assert_cardinality(self.num_batches)
        batches = rows.map(gather, num_parallel_calls=tf.data.AUTOTUNE).apply(count)
        options = tf.data.Options()
        policy = tf.data.experimental.AutoShardPolicy.DATA
        options.experimental_distribute.auto_shard_policy = policy
        return batches.with_options(options).prefetch(tf.data.AUTOTUNE)

    @property
    def num_batches(self) -> int:
        """See `DataAdapter`."""
        return -(-len(self._order(self.epoch)) // self._batch)

    @property
    def batch_size(self) -> int:
        """See `DataAdapter`."""
        return self._batch

    @property
    def has_partial_batch(self) -> bool:
        """See `DataAdapter`."""
        return self.partial_batch_size is not None

    @property
    def partial_batch_size(self) -> int | None:
        """See `DataAdapter`."""
        return len(self._order(self.epoch)) % self._batch or None


@final
class EpochDataset(PyDataset):
    """Wraps a user's `PyDataset`: its batches come in the order of the current epoch.

    Args:
        inner: the user's dataset.
        order: returns the batches of an epoch.
        epoch: the first epoch, counted from 1; a callback sets the current one.
    """

    def __init__(self, inner: PyDataset, order: Order, epoch: int) -> None:
        super().__init__(
            workers=inner.workers,
            use_multiprocessing=inner.use_multiprocessing,
            max_queue_size=inner.max_queue_size,
        )
        self._inner, self._order, self.epoch = inner, order, epoch
        # `fit` calls `on_epoch_end` once before the first epoch, which is no end if it resumes.
        self._begun = epoch == 1

    @property
    def num_batches(self) -> int:
        """See `keras.utils.PyDataset`."""
        return len(self._order(self.epoch))

    def __getitem__(self, index: int) -> Any:
        return self._inner[int(self._order(self.epoch)[index])]

    def on_epoch_begin(self) -> None:
        """See `keras.utils.PyDataset`."""
        self._begun = True
        self._inner.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """See `keras.utils.PyDataset`."""
        if self._begun:
            self._inner.on_epoch_end()


def ordered(data: FitData, first: int, keys: EpochKeys, per_execution: int) -> Any:
    """Returns training data whose order is keyed by epoch, None for pipelines with their own order.

    Args:
        data: arrays or a `PyDataset`.
        first: the first epoch, counted from 1.
        keys: the run's keys.
        per_execution: the model's `steps_per_execution`.
    """
    if data.trains_on_arrays:
        packed = keras.utils.pack_x_y_sample_weight(*data.weighted())
        order = _remembered(lambda epoch: epoch_order(data, epoch, keys, per_execution))
        return EpochArrays(packed, order, data.batch, first)
    if isinstance(data.x, PyDataset) and (data.batches or data.steps_per_epoch):
        # The batches of a recorded generator keep the order in which it yielded them.
        shuffle = bool(data.shuffle) and not isinstance(data.x, RecordedDataset)
        order = _remembered(lambda epoch: batch_order(data, epoch, keys, shuffle, per_execution))
        return EpochDataset(data.x, order, first)
    return None


def resumed(data: FitData, first: int) -> Any:
    """Returns a `tf.data` pipeline skipped to the start of epoch `first`; other data unchanged.

    With `steps_per_epoch`, Keras continues each epoch where the previous one ended.
    """
    if first == 1 or not data.steps_per_epoch or not hasattr(data.x, "skip"):
        return data.x
    batches, steps = int(data.x.cardinality()), data.steps_per_epoch
    # Keras restarts a finite dataset in the epoch after the one that reached its end.
    done = first - 1 if batches < 0 else (first - 1) % -(-batches // steps)
    return data.x.skip(done * steps)


def _remembered(order: Order) -> Order:
    """Caches the order of the current epoch, because the function is called for every batch."""
    held: dict[int, np.ndarray] = {}

    def cached(epoch: int) -> np.ndarray:
        if epoch not in held:
            held.clear()
            held[epoch] = order(epoch)
        return held[epoch]

    return cached
