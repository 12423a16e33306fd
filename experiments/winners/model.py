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
        model = keras.Sequential([keras.Input((features,))])
        for i in range(layers):
            units = hp.Int(f"units_{i}", 8, 128, step=8, default=32)
            model.add(keras.layers.Dense(units, activation))
            model.add(keras.layers.Dropout(hp.Float(f"dropout_{i}", 0.0, 0.5, step=0.1)))
        rate = hp.Choice("learning_rate", [1e-3, 1e-2, 1e-1], default=1e-3)
        _finish(model, split.classes, rate)
        return model

    return build


def _finish(model: keras.Model, classes: int, rate: float) -> None:
    adam = keras.optimizers.Adam(rate)
    if classes == 0:
        model.add(keras.layers.Dense(1))
        model.compile(adam, "mse", metrics=["r2_score"])
    elif classes == 2:
        model.add(keras.layers.Dense(1, "sigmoid"))
        model.compile(adam, "binary_crossentropy", metrics=["accuracy"])
    else:
        model.add(keras.layers.Dense(classes, "softmax"))
        model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])


def objective(classes: int) -> tuple[str, str]:
    """Returns the metric that a user of the lab would tune for, and its direction."""
    return ("val_accuracy", "max") if classes else ("val_r2_score", "max")
