"""Inference cost of an average: parameters and latency of 1, 5, 10 and 25 members.

KERAS_BACKEND=tensorflow python -m experiments.winners.cost
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from kerashpo.compare.latency import REPEATS, WARM_UP, latency
from kerashpo.training.ensemble import average_models

FEATURES = 30
UNITS = (64, 64)
MEMBERS = (1, 5, 10, 25)
ROWS = (1, 1000)
ROUNDS = 5


def member() -> keras.Model:
    """Returns a network of the size that the winners of the table have."""
    layers = [keras.layers.Dense(units, "relu") for units in UNITS]
    model = keras.Sequential([keras.Input((FEATURES,)), *layers, keras.layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    return model


def size_of(model: keras.Model) -> int:
    """Returns the bytes of the saved model."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.stat().st_size


def main() -> None:
    """Prints the table; rounds alternate between models, and the best of each counts."""
    x = np.random.default_rng(0).normal(size=(max(ROWS), FEATURES)).astype("float32")
    models = {
        count: member()
        if count == 1
        else average_models([member() for _ in range(count)], [f"m_{i}" for i in range(count)])
        for count in MEMBERS
    }
    best = {(count, rows): np.inf for count in MEMBERS for rows in ROWS}
    for _ in range(ROUNDS):
        for count, rows in best:
            found = latency(models[count], x, rows)
            best[count, rows] = min(best[count, rows], found)
    lines = [
        {
            "members": count,
            "parameters": model.count_params(),
            "kB": round(size_of(model) / 1000),
            **{f"ms, {rows} row(s)": round(best[count, rows], 2) for rows in ROWS},
        }
        for count, model in models.items()
    ]
    print(f"{keras.backend.backend()}, {WARM_UP} calls of warm-up, median of {REPEATS},")
    print(f"best of {ROUNDS} rounds; two layers of {UNITS[0]} units, {FEATURES} inputs\n")
    print(pd.DataFrame(lines).to_string(index=False))


if __name__ == "__main__":
    main()
