"""A small search: data, models and tuners that train in milliseconds."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerashpo.study.results import Results

ROWS = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
LABELS = (ROWS[:, 0] + 0.5 * ROWS[:, 1] > 0).astype("float32")
DATA: dict[str, Any] = {
    "x": ROWS[:48],
    "y": LABELS[:48],
    "validation_data": (ROWS[48:], LABELS[48:]),
    "batch_size": 16,
    "verbose": 0,
}


class Slowly(keras.callbacks.Callback):
    """Makes epochs long enough for a test to kill and interrupt a search in the middle."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        time.sleep(0.1)


class Together(Slowly):
    """Callback that lets no worker train before `count` workers have started."""

    def __init__(self, folder: Path, count: int) -> None:
        super().__init__()
        self.folder, self.count = folder, count

    def on_train_begin(self, logs: Any = None) -> None:
        (self.folder / f"began-{os.getpid()}").touch()
        deadline = time.monotonic() + 120
        while len(list(self.folder.glob("began-*"))) < self.count:
            assert time.monotonic() < deadline, "the other workers did not begin"
            time.sleep(0.02)


def build(hp: Any) -> keras.Model:
    return make(hp.Int("units", 4, 24, step=4), hp.Float("rate", 1e-3, 1e-1, sampling="log"))


def build_few(hp: Any) -> keras.Model:
    """A space of six configurations."""
    return make(hp.Int("units", 4, 12, step=4), hp.Choice("rate", [1e-3, 1e-2]))


def make(units: int = 4, rate: float = 0.01) -> keras.Model:
    layers = [
        keras.Input((4,)),
        keras.layers.Dense(units, "relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(1, "sigmoid"),
    ]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


def eagerly(model: keras.Model) -> keras.Model:
    """Has `fit` trace nothing: where a model takes a few steps, its trace is what it costs."""
    model.run_eagerly = True
    return model


def place(folder: Path, name: str = "study", **settings: Any) -> dict[str, Any]:
    """Returns the arguments that most tuners here share."""
    return {
        "objective": "val_loss",
        "seed": 0,
        "directory": folder,
        "project_name": name,
    } | settings


def outcomes(results: Results) -> dict[int, Any]:
    """Returns, by trial, its values, status and every metric of every epoch."""
    return {
        trial.number: (
            dict(trial.config),
            trial.status,
            {
                (run, epoch): dict(report.metrics)
                for run, reports in trial.reports.items()
                for epoch, report in reports.items()
            },
        )
        for trial in results.history.trials.values()
    }
