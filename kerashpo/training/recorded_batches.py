"""Records the batches of a generator, so that every trial is trained on the same ones."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from typing import Any, final

import keras
import numpy as np

from kerashpo.core.errors import InvalidInput

#: The most bytes of batches that are recorded of one generator.
MAX_BYTES = 2**30


def recorded(x: Any, steps_per_epoch: int | None) -> Any:
    """Returns a dataset that replays a generator passed as x; other data are returned unchanged.

    With `steps_per_epoch` an epoch continues where the previous one ended, as in Keras; otherwise
    each epoch is the whole generator.

    Raises:
        InvalidInput: for a generator without batches, or one that neither ends nor has steps.
    """
    if not _is_generator(x):
        return x
    recording = _recording(x, "x")
    return RecordedDataset(recording, None if steps_per_epoch else recording.read_all())


def recorded_validation(validation: Any, validation_steps: int | None) -> Any:
    """Returns a dataset that replays a generator of validation data, from the start each time.

    Raises:
        InvalidInput: see `recorded`.
    """
    if not _is_generator(validation):
        return validation
    recording = _recording(validation, "validation_data")
    return RecordedDataset(recording, validation_steps or recording.read_all())


def _is_generator(value: Any) -> bool:
    return hasattr(value, "__next__")


def _recording(source: Iterator[Any], name: str) -> Recording:
    warnings.warn(
        f"{name} is a generator, which yields each batch once. kerashpo keeps a copy of its "
        f"batches, up to {MAX_BYTES / 2**30:g} GB, so that every trial gets the same batches. "
        "A tf.data.Dataset or keras.utils.PyDataset needs no copy.",
        stacklevel=5,
    )
    return Recording(source, name)


@final
class Recording:
    """Recorded batches of a generator, by number.

    Batches are recorded up to `limit` bytes; after the last batch of a generator that ends comes
    its first one again. Batches beyond the limit are not recorded, but read from the generator.

    Args:
        source: the generator.
        name: the name of its argument, for messages.
        limit: the most bytes to record.
    """

    def __init__(self, source: Iterator[Any], name: str, limit: int = MAX_BYTES) -> None:
        self._source, self._name, self._limit = source, name, limit
        self._batches: list[Any] = []
        self._bytes, self._ended = 0, False
        # Keras reads batches in another thread.
        self._lock = threading.Lock()

    def batch(self, number: int) -> Any:
        """Returns a batch, counted from 0.

        Raises:
            InvalidInput: if the generator has no batch, or ended after unrecorded batches.
        """
        with self._lock:
            while number >= len(self._batches) and not self._ended and self._bytes <= self._limit:
                self._read()
            if number < len(self._batches):
                return self._batches[number]
            if self._ended:
                return self._batches[number % len(self._batches)]
            return self._live()

    def read_all(self) -> int:
        """Reads the generator to its end; returns the number of batches.

        Raises:
            InvalidInput: if it has more batches than are recorded.
        """
        with self._lock:
            while not self._ended:
                if self._bytes > self._limit:
                    steps = "steps_per_epoch" if self._name == "x" else "validation_steps"
                    raise InvalidInput(
                        f"{self._name} is a generator without {steps}, so it should end with the "
                        f"epoch, but it yields more than {self._limit / 2**30:g} GB. Pass {steps}, "
                        "or a tf.data.Dataset or keras.utils.PyDataset, which can be read again."
                    )
                self._read()
        return len(self._batches)

    def _read(self) -> None:
        try:
            batch = keras.tree.map_structure(_copied, next(self._source))
        except StopIteration:
            self._ended = True
            if not self._batches:
                raise InvalidInput(
                    f"{self._name} is a generator that yields no batch, or was used up before."
                ) from None
            return
        self._bytes += sum(getattr(leaf, "nbytes", 64) for leaf in keras.tree.flatten(batch))
        self._batches.append(batch)

    def _live(self) -> Any:
        try:
            return next(self._source)
        except StopIteration:
            raise InvalidInput(
                f"{self._name} is a generator that ended, with more than {self._limit / 2**30:g} "
                "GB of batches, so that other trials cannot be trained on them. Pass a "
                "tf.data.Dataset or keras.utils.PyDataset, which can be read again."
            ) from None


@final
class RecordedDataset(keras.utils.PyDataset):
    """Dataset of the batches of a recorded generator.

    Args:
        recording: the recording.
        batches: the number of batches; None if it is unknown.
    """

    def __init__(self, recording: Recording, batches: int | None) -> None:
        super().__init__()
        self._recording, self._batches = recording, batches

    @property
    def num_batches(self) -> int | None:
        """See `keras.utils.PyDataset`."""
        return self._batches

    def __getitem__(self, index: int) -> Any:
        return self._recording.batch(index)


def _copied(leaf: Any) -> Any:
    """Returns a copy of an array, which the generator might change later."""
    return np.array(leaf) if isinstance(leaf, np.ndarray) else leaf
