"""Objectives that are entries of a metric that returns a dict or a vector."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from tests.helpers.small_models import ROWS, place

CLASSES = np.eye(3, dtype="float32")[np.random.default_rng(0).integers(0, 3, len(ROWS))]


class Errors(keras.metrics.Metric):
    """Two means in a dict."""

    def __init__(self) -> None:
        super().__init__(name="errors")
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y: Any, p: Any, sample_weight: Any = None) -> None:
        self.total.assign_add(keras.ops.sum(keras.ops.abs(y - p)))
        self.count.assign_add(keras.ops.cast(keras.ops.shape(p)[0], "float32"))

    def result(self) -> Any:
        return {"mean_error": self.total / (self.count + 1e-7), "rows": self.count * 1.0}


def build(hp: Any) -> keras.Model:
    hidden = keras.layers.Dense(hp.Int("units", 2, 4), "relu")
    model = keras.Sequential([keras.Input((4,)), hidden, keras.layers.Dense(3, "softmax")])
    metrics = [Errors(), keras.metrics.F1Score()]
    model.compile("adam", "categorical_crossentropy", metrics=metrics)
    return model


def searched(objective: Any, folder: Any) -> Any:
    tuner = kt.RandomSearch(build, max_trials=1, **place(folder, objective=objective))
    held = (ROWS[48:], CLASSES[48:])
    tuner.search(ROWS[:48], CLASSES[:48], validation_data=held, epochs=1, verbose=0)
    return tuner


@pytest.mark.parametrize("name", ["val_mean_error", "mean_error", "val_f1_score_1"])
def test_an_entry_is_an_objective(name: str, tmp_path: Any) -> None:
    tuner = searched(kt.Objective(name, "min"), tmp_path)
    (trial,) = tuner.results.history.trials.values()
    assert tuner.results.best.score == trial.reports[0][1].metrics[name]


def test_a_vector_as_a_whole_is_none(tmp_path: Any) -> None:
    with pytest.raises(InvalidInput, match="no single number.*val_f1_score_0, val_f1_score_1"):
        searched(kt.Objective("val_f1_score", "max"), tmp_path)
