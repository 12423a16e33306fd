"""Streams: `tf.data` pipelines whose batches the graph of an epoch reads itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, final

import keras
from keras.src.backend.tensorflow.trainer import TFEpochIterator

from kerashpo.training.data import FitData


@final
class Stream:
    """The epochs of a `tf.data` pipeline, as Keras's `fit` and `evaluate` count them.

    Keras's own epoch iterator makes the iterators, one too many for each epoch among them, so that
    a seeded shuffle gives the same orders: each iterator draws a new one.

    Args:
        model: the model that reads it.
        dataset: yields x, (x, y) or (x, y, sample_weight).
        steps: batches of an epoch; None for all of the pipeline's.
        class_weight: class number -> weight, or None.
    """

    def __init__(
        self, model: keras.Model, dataset: Any, steps: int | None, class_weight: Any = None
    ) -> None:
        self._epochs = TFEpochIterator(
            x=dataset,
            steps_per_epoch=steps,
            class_weight=class_weight,
            distribute_strategy=model.distribute_strategy,
        )

    @classmethod
    def of_training(cls, model: keras.Model, data: FitData) -> Stream:
        """Returns the stream of the training data."""
        return cls(model, data.x, data.steps_per_epoch, data.class_weight)

    @classmethod
    def of_validation(cls, model: keras.Model, data: FitData) -> Stream:
        """Returns the stream of the validation data."""
        return cls(model, data.validation, data.validation_steps)

    def skip(self, epochs: int) -> None:
        """Reads the batches of epochs trained before, where an epoch begins at the last one's end.

        Whole pipelines begin anew in each epoch, and keep their own order.
        """
        for _ in range(epochs if self._epochs.steps_per_epoch else 0):
            with self.epoch() as (iterator, most):
                for _ in range(most):
                    next(iterator)

    def restart(self) -> None:
        """Begins again with the first batch, as `evaluate` does each time."""
        self._epochs.reset()

    @contextlib.contextmanager
    def epoch(self) -> Iterator[tuple[Any, int]]:
        """Context of one epoch: the iterator, and the most batches to read from it."""
        epochs = self._epochs
        turns = iter(epochs)
        _, _, iterator = next(turns)
        whole, seen = epochs._num_batches, epochs._steps_seen - 1
        left = [epochs.steps_per_epoch, None if whole is None else whole - seen]
        yield iterator, min(count for count in left if count is not None)
        # Afterwards: a cache must be full before Keras makes the next iterator.
        while next(turns, None) is not None:  # a `for` loop would start the epoch anew
            pass
