"""Small data, models and oracles that both sides are measured on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import keras_tuner
import numpy as np

ROWS = np.random.default_rng(0).normal(size=(96, 4)).astype("float32")
LABELS = (ROWS[:, 0] + 0.5 * ROWS[:, 1] > 0).astype("float32")
DATA: dict[str, Any] = {
    "x": ROWS[:64],
    "y": LABELS[:64],
    "validation_data": (ROWS[64:], LABELS[64:]),
    "batch_size": 16,
    "verbose": 0,
}


def make_model(units: int, rate: float = 0.01) -> keras.Model:
    """Returns a compiled model that trains in milliseconds."""
    layers = [
        keras.Input((4,)),
        keras.layers.Dense(units, "relu"),
        keras.layers.Dense(1, "sigmoid"),
    ]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


def build(hp: Any) -> keras.Model:
    """Twenty-five widths, an endless choice of rates."""
    return make_model(hp.Int("units", 1, 25), hp.Float("rate", 1e-3, 1e-1, sampling="log"))


def build_six(hp: Any) -> keras.Model:
    """A space of six configurations."""
    return make_model(hp.Choice("units", [4, 8, 12]), hp.Choice("rate", [1e-3, 1e-2]))


def oracles(side: str) -> Any:
    """Returns the module that holds a side's oracles."""
    if side == "theirs":
        return keras_tuner.oracles
    import kerashpo

    return kerashpo.oracles


def drive(
    oracle: Any, folder: str, score: Callable[[Mapping[str, Any]], float], most: int = 10**6
) -> Iterator[Any]:
    """Runs an oracle's trials as `keras_tuner.BaseTuner.search` does; yields each that ended."""
    oracle._set_project_dir(folder, "oracle")
    oracle.verbose = 0
    for _ in range(most):
        trial = oracle.create_trial("tuner0")
        if trial.status != "RUNNING":
            return
        value = score(trial.hyperparameters.values)
        trial.status = "COMPLETED"
        if math.isnan(value):
            trial.status = "FAILED"
        else:
            oracle.update_trial(trial.trial_id, {"score": value})
        oracle.end_trial(trial)
        yield oracle.trials[trial.trial_id]


def space(**parameters: Any) -> keras_tuner.HyperParameters:
    """Returns parameters: a list is a choice, a pair of floats a range."""
    hp = keras_tuner.HyperParameters()
    for name, given in parameters.items():
        if isinstance(given, list):
            hp.Choice(name, given)
        else:
            hp.Float(name, *given)
    return hp


def objective(direction: str = "max") -> keras_tuner.Objective:
    """Returns the objective of oracles that are driven without training."""
    return keras_tuner.Objective("score", direction)
