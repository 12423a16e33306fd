"""Small data and models that every test of training uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.training.data import FitData
from kerashpo.training.randomness import EpochKeys


@pytest.fixture
def keys() -> EpochKeys:
    return EpochKeys(seed=7, trial=3, run=0)


@pytest.fixture
def table() -> tuple[np.ndarray, np.ndarray]:
    """45 rows of 6 columns, float32, and labels 0 or 1 that depend on them."""
    rows = np.random.default_rng(0).normal(size=(45, 6)).astype("float32")
    return rows, (rows[:, 0] + rows[:, 1] > 0).astype("float32")


@pytest.fixture
def data(table: tuple[np.ndarray, np.ndarray]) -> FitData:
    """36 rows to train on in batches of 8 (the last of 4), 9 to validate in batches of 4."""
    x, y = table
    return FitData.from_fit(
        x, y, batch_size=8, validation_split=0.2, validation_batch_size=4, shuffle=False
    )


@pytest.fixture
def mlp() -> Callable[..., keras.Model]:
    def build(
        widths: tuple[int, ...] = (5, 4),
        dropout: float = 0.0,
        optimizer: Any = None,
        metrics: Any = ("accuracy",),
        seed: int = 1,
        activation: str = "tanh",
    ) -> keras.Model:
        keras.utils.set_random_seed(seed)
        layers: list[Any] = [keras.Input((6,))]
        for width in widths:
            layers += [keras.layers.Dense(width, activation), keras.layers.Dropout(dropout)]
        model = keras.Sequential([*layers, keras.layers.Dense(1, "sigmoid")])
        model.compile(
            optimizer or keras.optimizers.Adam(1e-2),
            "binary_crossentropy",
            metrics=[*metrics],
            jit_compile=False,
        )
        return model

    return build


class Recorder(keras.callbacks.Callback):
    """Keeps what a callback is reported, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, Any]] = []
        self.logs: list[dict[str, float]] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.calls.append(("train_begin", None))

    def on_train_end(self, logs: Any = None) -> None:
        self.calls.append(("train_end", None))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(("epoch_begin", epoch))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(("epoch_end", epoch))
        self.logs.append(dict(logs or {}))


@pytest.fixture
def recorder() -> Callable[[], Recorder]:
    return Recorder
