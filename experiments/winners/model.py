"""The hypermodel of the winners' tables: the lab's space, with widths that suit small data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from experiments.winners.data import Split

EPOCHS = 50
BATCH = 32


def builder(split: Split) -> Callable[[Any], keras.Model]:
    """Returns ``build_model(hp)``: 1-3 dense layers; by default one of 32 ReLU units."""
    features = split.train[0].shape[1]

    def build(hp: Any) -> keras.Model:
        layers = hp.Int("layers", 1, 3)
        activation = hp.Choice("activation", ["relu", "tanh", "sigmoid"])
        stack = [keras.Input((features,))]
        for i in range(layers):
            units = hp.Int(f"units_{i}", 8, 128, step=8, default=32)
            stack.append(keras.layers.Dense(units, activation))
            stack.append(keras.layers.Dropout(hp.Float(f"dropout_{i}", 0.0, 0.5, step=0.1)))
        rate = hp.Choice("learning_rate", [1e-3, 1e-2, 1e-1], default=1e-3)
        return _finished(stack, split.classes, rate)

    return build


def _finished(stack: list[Any], classes: int, rate: float) -> keras.Model:
    """Returns the compiled model; made at once, since each `add` builds all layers again."""
    head, loss, metric = keras.layers.Dense(1), "mse", "r2_score"
    if classes == 2:
        head, loss, metric = keras.layers.Dense(1, "sigmoid"), "binary_crossentropy", "accuracy"
    elif classes:
        head = keras.layers.Dense(classes, "softmax")
        loss, metric = "sparse_categorical_crossentropy", "accuracy"
    model = keras.Sequential([*stack, head])
    model.compile(keras.optimizers.Adam(rate), loss, metrics=[metric])
    return model


def objective(classes: int) -> tuple[str, str]:
    """Returns the metric that a user of the lab would tune for, and its direction."""
    return ("val_accuracy", "max") if classes else ("val_r2_score", "max")
