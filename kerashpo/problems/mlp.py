"""The hidden layers that the hypermodels of tables share."""

from __future__ import annotations

from typing import Any


def add_hidden(
    model: Any, hp: Any, low: int, high: int, step: int, default: int | None = None
) -> None:
    """Adds 1-3 hidden layers to a model, each with its own width and dropout.

    Args:
        model: a `keras.Sequential` that knows its input.
        hp: a `HyperParameters`.
        low, high, step: the widths to choose from.
        default: the width of the untuned model; None for the smallest.
    """
    import keras

    layers = hp.Int("layers", 1, 3)
    activation = hp.Choice("activation", ["relu", "tanh", "sigmoid"])
    for i in range(layers):
        units = hp.Int(f"units_{i}", low, high, step=step, default=default)
        model.add(keras.layers.Dense(units, activation=activation))
        model.add(keras.layers.Dropout(hp.Float(f"dropout_{i}", 0.0, 0.5, step=0.1)))
