"""Predictions of fold models for their own validation rows, and the loss of weighted averages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import keras
import numpy as np

from kerashpo.training.arrays import length, take
from kerashpo.training.data import FitData
from kerashpo.training.ensemble import WeightedAverage, logit_activations, output_names

_ROWS = 1024
"""Rows that are predicted at once."""


@final
class FoldPredictions:
    """Predictions of several configurations' models for the validation rows of the same folds.

    Args:
        load: returns the compiled model of a configuration (by its place) and a fold.
        configurations: how many there are.
        folds: the data of each fold.

    Raises:
        ValueError: if the models have no compiled loss.
    """

    def __init__(
        self, load: Callable[[int, int], keras.Model], configurations: int, folds: Sequence[FitData]
    ) -> None:
        self._folds: list[tuple[Any, Any, int]] = []
        self._predictions: list[list[list[Any]]] = []
        self._model = load(0, 0)
        if getattr(self._model, "_compile_loss", None) is None:
            raise ValueError("The model has no compiled loss.")
        for number, data in enumerate(folds):
            x, y, weight = _validation(data)
            self._folds.append((y, weight, length(x)))
            models = [load(one, number) for one in range(configurations)]
            self._predictions.append([_predict(model, x) for model in models])
        outputs = self._structure = _structure(self._model, x)
        self._kinds = logit_activations(self._model, output_names(self._model, outputs))

    def loss(self, weights: Sequence[float]) -> float:
        """Returns the loss of the average of all configurations over the rows of all folds."""
        whole = sum(rows for _, _, rows in self._folds)
        total = 0.0
        for (y, sample_weight, rows), predictions in zip(self._folds, self._predictions):
            means = [
                WeightedAverage(weights, kind)([one[place] for one in predictions])
                for place, kind in enumerate(self._kinds)
            ]
            mean = keras.tree.pack_sequence_as(self._structure, means)
            found = self._model.compute_loss(
                x=None, y=y, y_pred=mean, sample_weight=sample_weight, training=False
            )
            total += float(found) * rows / whole
        return total


def _validation(data: FitData) -> tuple[Any, Any, Any]:
    """Returns the validation rows (x, y, sample_weight) of a fold."""
    triple = (*data.validation, None)[:3]
    if data.validation_rows is None:
        return triple
    x, y, weight = take(triple, data.validation_rows)
    return x, y, weight


def _predict(model: keras.Model, x: Any) -> list[Any]:
    """Returns the outputs, flat. Called directly: `predict` would trace each model."""
    parts = []
    for first in range(0, length(x), _ROWS):
        batch = _tensors(take(x, slice(first, first + _ROWS)))
        parts.append(keras.tree.flatten(model(batch, training=False)))
    return [keras.ops.concatenate(list(outputs)) for outputs in zip(*parts)]


def _structure(model: keras.Model, x: Any) -> Any:
    return model(_tensors(take(x, slice(0, 1))), training=False)


def _tensors(x: Any) -> Any:
    return keras.tree.map_structure(
        lambda leaf: leaf if leaf is None else keras.ops.convert_to_tensor(np.asarray(leaf)), x
    )
