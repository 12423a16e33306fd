"""The interface between the loop over epochs and a backend, and the caches that backends share."""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Generic, TypeVar, final

import keras
import numpy as np

from kerashpo.training.data import FitData, Triple, length
from kerashpo.training.randomness import assign_state

Logs = dict[str, Any]
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Graphs = TypeVar("Graphs")

#: How many data sets (folds, as a rule) keep their tensors between trials.
_DATA_SETS = 16


class CompiledSession(ABC):
    """One model during its training: live variables, one graph call an epoch."""

    @abstractmethod
    def train_epoch(self, order: np.ndarray) -> Logs:
        """Trains one epoch.

        Args:
            order: the samples in the order in which to visit them, int32, shape (n,).

        Returns:
            what `fit` would log, without validation.
        """

    @abstractmethod
    def test_epoch(self) -> Logs:
        """Evaluates on the validation data; metric names come without ``val_``."""

    def set_seed(self, variable: Any, state: np.ndarray) -> None:
        """See `kerashpo.training.randomness.assign_state`; a backend may have a quicker way."""
        assign_state(variable, state)

    @abstractmethod
    def close(self) -> None:
        """Gives the model its own variables back, with the values that training reached."""

    def __enter__(self) -> CompiledSession:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@final
class LRUCache(Generic[Key, Value]):
    """A mapping of bounded size; the least recently used entry is dropped first.

    Args:
        capacity: how many entries to hold.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """Returns the entry of `key`, made now if there is none."""
        if key not in self._entries:
            self._entries[key] = make()
            while len(self._entries) > self._capacity:
                self._entries.popitem(last=False)
        self._entries.move_to_end(key)
        return self._entries[key]

    def __len__(self) -> int:
        return len(self._entries)


class Engine(ABC, Generic[Graphs]):
    """Trains, evaluates and predicts with graphs that models of one signature share.

    A backend says what its `Graphs` are and how they are run. The caches are here: graphs by
    signature (least recently used out first), graphs of models that share none (as long as the
    model lives), and data on the device.

    Args:
        capacity: how many shared graphs to hold.
    """

    def __init__(self, capacity: int) -> None:
        self._shared: LRUCache[Hashable, Graphs] = LRUCache(capacity)
        self._private: weakref.WeakKeyDictionary[keras.Model, Graphs] = weakref.WeakKeyDictionary()
        self._data: LRUCache[int, tuple[FitData, Any, Any]] = LRUCache(_DATA_SETS)

    @abstractmethod
    def open(self, model: keras.Model, data: FitData) -> CompiledSession:
        """Starts training a built model on arrays."""

    @abstractmethod
    def evaluate(self, model: keras.Model, triple: Triple, batch: int) -> Logs:
        """Returns loss and metrics over (x, y, sample_weight), in batches of `batch`."""

    @abstractmethod
    def to_device(self, arrays: Any) -> Any:
        """Returns nested arrays as tensors; lists become tuples, as in Keras's own adapters."""

    @abstractmethod
    def predictor(self, model: keras.Model) -> AbstractContextManager[Callable[[Any], Any]]:
        """Opens a function from a batch of inputs (tensors) to nested outputs."""

    @property
    def shared_graphs(self) -> int:
        """How many shared graphs are held."""
        return len(self._shared)

    def predict(self, model: keras.Model, x: Any, batch: int) -> Any:
        """Returns the predictions for all samples, numpy arrays nested as the model's outputs."""
        parts = []
        with self.predictor(model) as predict:
            for start in range(0, length(x), batch):
                rows = slice(start, start + batch)
                part = keras.tree.map_structure(lambda leaf, r=rows: leaf[r], x)
                parts.append(predict(self.to_device((part,))))
        return keras.tree.map_structure(
            lambda *leaves: np.concatenate([np.asarray(leaf) for leaf in leaves]), *parts
        )

    def _of_signature(self, key: Hashable, make: Callable[[], Graphs]) -> Graphs:
        """Returns the graphs that models of this signature share."""
        return self._shared.get(key, make)

    def _of_model(
        self, model: keras.Model, fits: Callable[[Graphs], bool], make: Callable[[], Graphs]
    ) -> Graphs:
        """Returns the graphs of a model that shares none, made anew unless the held ones fit."""
        found = self._private.get(model)
        if found is None or not fits(found):
            found = self._private[model] = make()
        return found

    def _on_device(self, data: FitData) -> tuple[Any, Any]:
        """Returns training and validation data on the device; the latter None if there is none."""

        def move() -> tuple[FitData, Any, Any]:
            validation = None if data.validation is None else packed(data.validation)
            held = None if validation is None else self.to_device(validation)
            # Beside the data themselves, whose id nothing else can take while they are here.
            return data, self.to_device(packed(data.weighted())), held

        _, training, validation = self._data.get(id(data), move)
        return training, validation


def packed(triple: Triple) -> tuple[Any, ...]:
    """Returns what a step is given: (x,), (x, y) or (x, y, sample_weight), no None at the end."""
    x, y, weight = triple
    if weight is not None:
        return x, y, weight
    return (x,) if y is None else (x, y)


def to_numbers(logs: Any) -> Logs:
    """Returns logs as Python floats where they are scalars, else as numpy arrays."""
    host = {name: np.asarray(value) for name, value in logs.items()}
    return {name: float(v) if v.ndim == 0 else v for name, v in host.items()}
