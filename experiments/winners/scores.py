"""What models do on rows that no search saw: predictions, scores and losses, in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from experiments.winners.data import Split

_TINY = 1e-7


def members_of(model: keras.Model) -> list[keras.Model]:
    """Returns the models that an ensemble averages, in its order."""
    return [layer for layer in model.layers if isinstance(layer, keras.Model)]


def predict(models: Sequence[keras.Model], x: np.ndarray) -> np.ndarray:
    """Returns predictions of shape (models, rows, outputs)."""
    return np.stack([np.asarray(model(x, training=False)) for model in models])


def score_and_loss(predicted: np.ndarray, y: np.ndarray, classes: int) -> tuple[float, float]:
    """Returns accuracy (R2 for a regression) and Keras's loss of predictions (rows, outputs)."""
    if classes == 0:
        error = float(np.mean((predicted[:, 0] - y) ** 2))
        return 1.0 - error / float(np.var(y)), error
    if classes == 2:
        predicted = np.concatenate([1.0 - predicted, predicted], axis=1)
    right = predicted[np.arange(len(y)), y]
    # Keras's accuracy of a binary model calls a probability of exactly 0.5 the first class.
    accuracy = float(np.mean(predicted.argmax(axis=1) == y))
    return accuracy, float(-np.mean(np.log(np.clip(right, _TINY, 1.0 - _TINY))))


def row(
    name: str,
    predicted: np.ndarray,
    parts: Split,
    epochs: int,
    members: Sequence[keras.Model],
    shown: Any = None,
) -> dict[str, Any]:
    """Returns one line of the table.

    Args:
        name: what the model is.
        predicted: the test rows' predictions (members, rows, outputs); their mean counts.
        parts: of the data.
        epochs: all that were trained for it.
        members: the models whose mean it is.
        shown: the score that the search says it has, as a number or with ``low`` and ``high``.
    """
    score, loss = score_and_loss(predicted.mean(axis=0), parts.test[1], parts.classes)
    reported = {"shown": shown, "low": None, "high": None}
    if hasattr(shown, "value"):
        reported = {"shown": shown.value, "low": shown.low, "high": shown.high}
    return {
        "model": name,
        "score": round(score, 6),
        "loss": round(loss, 6),
        **{key: "" if value is None else round(float(value), 6) for key, value in reported.items()},
        "epochs": epochs,
        "members": len(members),
        "parameters": sum(model.count_params() for model in members),
    }
