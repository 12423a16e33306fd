"""`Case`: one case of the exactness test; the data and models that most cases share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

layers = keras.layers
RNG = np.random.default_rng(5)
#: 45 rows: with batches of 8 the last one has 5, or 4 of the 36 left by a split of 0.2.
ROWS = RNG.normal(size=(45, 6)).astype("float32")
LABELS = (ROWS[:, 0] + ROWS[:, 1] > 0).astype("float32")
CLASSES = RNG.integers(0, 3, size=45)
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
VALUES = (ROWS[:, :1] - 0.5 * ROWS[:, 1:2]).astype("float32")
WEIGHTS = np.linspace(0.1, 2.0, 45).astype("float32")
IMAGES = RNG.normal(size=(45, 6, 6, 1)).astype("float32")
STEPS = RNG.normal(size=(45, 5, 3)).astype("float32")
TOKENS = RNG.integers(0, 9, size=(45, 5))
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"


@dataclass(frozen=True)
class Case:
    """A combination of features.

    Attributes:
        build: makes a compiled model.
        fit: the arguments of `fit`, or a function that makes them again for each training.
        callbacks: makes callbacks; takes the folder that they may write to.
        compiled: whether epochs are expected to be compiled.
        fast: the tuner's argument; False trains arrays by `model.fit`, too.
        applies: whether the backend has it.
        tolerance: absolute and relative, on losses and metrics of order 1.
        weights: absolute, on single weights.
    """

    build: Callable[[], keras.Model]
    fit: Mapping[str, Any] | Callable[[], Mapping[str, Any]]
    callbacks: Callable[[Any], list[Any]] = lambda folder: []
    compiled: bool = True
    fast: Any = "auto"
    applies: bool = True
    tolerance: float = 2e-5
    weights: float = 2e-5 if ON_TENSORFLOW else 1e-3

    def arguments(self) -> dict[str, Any]:
        """Returns the arguments of `fit`."""
        return {"shuffle": False, **(self.fit() if callable(self.fit) else self.fit)}


def arrays(x: Any = ROWS, y: Any = LABELS, **arguments: Any) -> dict[str, Any]:
    """Returns arguments of `fit`: batches of 16, the last fifth for validation."""
    return {"x": x, "y": y, "batch_size": 16, "validation_split": 0.2, **arguments}


def stack(
    *hidden: Any, last: Any = None, shape: tuple[int, ...] = (6,), **compiling: Any
) -> Callable[[], keras.Model]:
    """Returns a builder of a sequential model.

    Args:
        hidden: functions that make layers.
        last: the same for the last one.
        shape: of a sample.
        compiling: arguments of `compile`, functions among them make their value.
    """

    def build() -> keras.Model:
        made = [make() for make in hidden or (dense(),)]
        model = keras.Sequential([keras.Input(shape), *made, (last or dense(1, "sigmoid"))()])
        return compiled(model, **compiling)

    return build


def dense(units: int = 5, activation: str | None = "tanh", **arguments: Any) -> Any:
    """Returns a function that makes a `Dense` layer."""
    return lambda: layers.Dense(
        units, activation, **{k: v() if callable(v) else v for k, v in arguments.items()}
    )


def compiled(
    model: keras.Model, optimizer: Any = None, loss: Any = "binary_crossentropy", **given: Any
) -> keras.Model:
    """Compiles a model; a `Make` among the arguments makes a new value."""
    made = {"jit_compile": False, **{name: _made(value) for name, value in given.items()}}
    optimizer = optimizer() if optimizer else keras.optimizers.Adam(0.01)
    model.compile(optimizer, _made(loss), **made)
    return model


@dataclass(frozen=True)
class Make:
    """Makes a new argument of `compile` for each model."""

    make: Callable[[], Any] = field()


def _made(value: Any) -> Any:
    return value.make() if isinstance(value, Make) else value
