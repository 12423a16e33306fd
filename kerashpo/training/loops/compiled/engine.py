"""Engine: the interface of a backend for compiled epochs, and the caches that backends share."""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Generic, TypeVar, final

import keras
import numpy as np

from kerashpo.training.arrays import Triple, length, take
from kerashpo.training.data import FitData
from kerashpo.training.loops.compiled.programs import ProgramCache
from kerashpo.training.randomness import assign_state

Logs = dict[str, Any]
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Graphs = TypeVar("Graphs")

#: Number of data sets (usually folds and batch sizes) whose tensors are cached between trials.
_DATA_SETS = 16


class CompiledSession(ABC):
    """One model during its training, one graph call per epoch; its variables are up to date."""

    @abstractmethod
    def train_epoch(self, order: np.ndarray | None) -> Logs:
        """Trains one epoch.

        Args:
            order: indices of the samples in training order, int32, shape (n,); None for a
                pipeline, which has its own.

        Returns:
            the logs of `fit`, without validation.
        """

    @abstractmethod
    def train_until_nan(self, order: np.ndarray) -> tuple[Logs, int]:
        """Trains one epoch, up to the first batch after which the loss is NaN or infinite.

        For models whose logs are metrics, see `kerashpo.training.loops.base.logs_are_metrics`.

        Args:
            order: as for `train_epoch`.

        Returns:
            the logs of `fit`, and the number of batches trained.
        """

    @abstractmethod
    def test_epoch(self) -> Logs:
        """Evaluates on the validation data; metric names have no prefix ``val_``."""

    def skip(self, epochs: int) -> None:
        """Moves to the place in the data that a training has reached after so many epochs."""
        del epochs  # the order of arrays is keyed by epoch

    def set_seed(self, variable: Any, state: np.ndarray) -> None:
        """See `kerashpo.training.randomness.assign_state`; a backend may have a faster way."""
        assign_state(variable, state)

    @abstractmethod
    def close(self) -> None:
        """Restores the model's own variables, with the trained values."""

    def reopen(self) -> bool:
        """Opens a closed session again for the same model and data; returns False if it cannot."""
        return False

    def __enter__(self) -> CompiledSession:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class PopulationSession(ABC):
    """Several models of one signature during their training, one graph call per epoch for all.

    Models are counted from 0. A model's variables are out of date until `restore`.
    """

    @abstractmethod
    def run_epoch(
        self, orders: Sequence[np.ndarray], states: Sequence[np.ndarray], validate: bool
    ) -> tuple[list[Logs], list[Logs]]:
        """Trains one epoch of every model; after an exception the values are those before it.

        Args:
            orders: for each model the indices of the samples in training order, int32, shape (n,).
            states: for each model the states of its seed generators, uint32, shape (count, 2).
            validate: whether to evaluate on the validation data afterwards.

        Returns:
            for each model the logs of `fit`, and those of the evaluation, whose names have no
            prefix ``val_``; none of these without `validate`.
        """

    @abstractmethod
    def keep(self, models: Sequence[int]) -> None:
        """Keeps the current weights of these models as their best, on the device."""

    @abstractmethod
    def best(self, model: int) -> list[np.ndarray]:
        """Returns the weights that `keep` kept last, in the order of ``model.weights``."""

    @abstractmethod
    def restore(self, model: int) -> None:
        """Assigns the current values to the model's own variables."""


@final
class LRUCache(Generic[Key, Value]):
    """A mapping of bounded size; the least recently used entry is dropped first.

    Args:
        capacity: the largest number of entries.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """Returns the entry of `key`; `make` creates it if there is none."""
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

    A backend defines its type of `Graphs` and runs them. This class holds the caches: graphs by
    signature (the least recently used are dropped first), graphs of models that share none (as
    long as the model exists), and data on the device.

    Args:
        capacity: the largest number of shared graphs.
    """

    def __init__(self, capacity: int) -> None:
        self._shared: LRUCache[Hashable, Graphs] = LRUCache(capacity)
        self._private: weakref.WeakKeyDictionary[keras.Model, Graphs] = weakref.WeakKeyDictionary()
        self._data: LRUCache[int, tuple[FitData, Any, Any]] = LRUCache(_DATA_SETS)
        #: id of an array -> weak references to the array and its tensor; `_data` holds both.
        self._tensors: dict[int, tuple[weakref.ref[Any], weakref.ref[Any]]] = {}

    @abstractmethod
    def open(self, model: keras.Model, data: FitData) -> CompiledSession:
        """Starts training a built model on arrays."""

    @abstractmethod
    def evaluate(self, model: keras.Model, triple: Triple, batch: int) -> Logs:
        """Returns loss and metrics over (x, y, sample_weight), in batches of `batch`."""

    @abstractmethod
    def to_tensor(self, array: np.ndarray) -> Any:
        """Copies an array to the device."""

    @abstractmethod
    def predictor(self, model: keras.Model) -> AbstractContextManager[Callable[[Any], Any]]:
        """Context with the prediction function: a batch of inputs (tensors) to nested outputs."""

    def close(self) -> None:
        """Releases what the backend has cached; it is prepared again when it is needed."""
        return

    def population_key(self, model: keras.Model, data: FitData) -> Hashable | None:
        """Returns a key of models that `open_population` trains together; None for none."""
        return None

    def open_population(
        self,
        models: Sequence[keras.Model],
        size: int,
        data: FitData,
        cache: ProgramCache | None = None,
    ) -> PopulationSession:
        """Starts training built models of one `population_key` together.

        Args:
            models: at most `size` of them.
            size: the number of places of the program, on which the last bits of values depend.
            data: the training data of all of them, arrays.
            cache: where compiled programs are kept for later searches; None for nowhere.
        """
        raise NotImplementedError("this backend trains models one by one")

    @property
    def shared_graphs(self) -> int:
        """The number of cached graphs that models share."""
        return len(self._shared)

    def predict(self, model: keras.Model, x: Any, batch: int) -> Any:
        """Returns the predictions for all samples, numpy arrays nested as the model's outputs."""
        parts = []
        with self.predictor(model) as predict:
            for start in range(0, length(x), batch):
                part = keras.utils.pack_x_y_sample_weight(take(x, slice(start, start + batch)))
                parts.append(predict(self._to_device(part)))
        return keras.tree.map_structure(
            lambda *leaves: np.concatenate([np.asarray(leaf) for leaf in leaves]), *parts
        )

    def _of_signature(self, key: Hashable, make: Callable[[], Graphs]) -> Graphs:
        """Returns the graphs that models of this signature share."""
        return self._shared.get(key, make)

    def _of_model(
        self, model: keras.Model, fits: Callable[[Graphs], bool], make: Callable[[], Graphs]
    ) -> Graphs:
        """Returns the graphs of a model that shares none; made again unless the cached ones fit."""
        found = self._private.get(model)
        if found is None or not fits(found):
            found = self._private[model] = make()
        return found

    def forget(self, model: keras.Model) -> None:
        """Drops the graphs of a model that shares none: they are traced again."""
        self._private.pop(model, None)

    def _on_device(self, data: FitData) -> tuple[Any, Any]:
        """Returns training and validation data on the device; None for what is no arrays."""

        def move() -> tuple[FitData, Any, Any]:
            training = validation = None
            if data.validates_on_arrays:
                validation = self._to_device(packed(data.validation))
            if data.trains_on_arrays:
                training = self._to_device(packed(data.weighted()))
            # The entry holds the data too: while it does, no other object can get their id.
            return data, training, validation

        _, training, validation = self._data.get(id(data), move)
        return training, validation

    def _to_device(self, arrays: Any) -> Any:
        """Returns nested arrays as tensors; lists become tuples, as in Keras's own adapters.

        An array that is on the device already is not copied again: folds and batch sizes share
        the same arrays.
        """

        def tensor(array: Any) -> Any:
            if array is None:
                return None
            held = self._tensors.get(id(array))
            if held is None or held[0]() is not array or (found := held[1]()) is None:
                found = self.to_tensor(array)
                self._tensors[id(array)] = weakref.ref(array), weakref.ref(found)
            return found

        for key in [key for key, (array, _) in self._tensors.items() if array() is None]:
            del self._tensors[key]
        return keras.tree.map_structure(tensor, keras.tree.lists_to_tuples(arrays))


def packed(triple: Triple) -> Any:
    """Returns the data of a step as Keras packs them: x, (x, y) or (x, y, sample_weight)."""
    return keras.utils.pack_x_y_sample_weight(*triple)


def to_numbers(logs: Any) -> Logs:
    """Returns logs as Python floats where they are scalars, else as numpy arrays.

    A metric that returns a dict adds all its entries, as in Keras.
    """
    numbers: Logs = {}
    for name, value in logs.items():
        if isinstance(value, Mapping):
            numbers |= to_numbers(value)
            continue
        array = np.asarray(value)
        numbers[name] = float(array) if array.ndim == 0 else array
    return numbers
