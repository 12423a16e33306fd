"""The seam between the loop over epochs and a backend's graphs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any

import keras
import numpy as np

from kerashpo.training.data import FitData, Triple
from kerashpo.training.randomness import assign_state

Logs = dict[str, Any]


class CompiledSession(ABC):
    """One model while it trains: its variables live, its epochs a graph call each."""

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
        """Evaluates on the validation data; names come without ``val_``."""

    def set_seed(self, variable: Any, state: np.ndarray) -> None:
        """See `kerashpo.training.randomness.assign_state`; a backend may know a quicker way."""
        assign_state(variable, state)

    @abstractmethod
    def close(self) -> None:
        """Gives the model back its own variables, with the values that they have reached."""

    def __enter__(self) -> CompiledSession:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Engine(ABC):
    """Opens sessions, and holds what they share: traces, and data on the device."""

    @abstractmethod
    def open(self, model: keras.Model, data: FitData) -> CompiledSession:
        """Starts training a built model on arrays."""

    @abstractmethod
    def evaluate(self, model: keras.Model, triple: Triple, batch: int) -> Logs:
        """Returns loss and metrics over (x, y, sample_weight), in batches of `batch`."""

    @abstractmethod
    def predict(self, model: keras.Model, x: Any, batch: int) -> Any:
        """Returns the predictions for all samples, numpy arrays nested as the model's outputs."""


def packed(triple: Triple) -> tuple[Any, ...]:
    """Returns what a step is given: (x,), (x, y) or (x, y, sample_weight), no None at the end."""
    x, y, weight = triple
    if weight is not None:
        return x, y, weight
    return (x,) if y is None else (x, y)
