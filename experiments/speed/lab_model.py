"""The lab: breast cancer, and the hypermodel that students tune on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


@dataclass(frozen=True, slots=True)
class Split:
    """Standardised rows, float32, shape (n, 30), and labels 0 or 1, shape (n,)."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def load() -> Split:
    """Returns 455 rows to search with and 114 that no search sees."""
    x, y = load_breast_cancer(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        x, y, test_size=0.2, random_state=42, stratify=y
    )
    scaler = StandardScaler().fit(x_train)
    return Split(
        scaler.transform(x_train).astype("float32"),
        y_train.astype("float32"),
        scaler.transform(x_test).astype("float32"),
        y_test.astype("float32"),
    )


def build_model(hp: Any) -> keras.Model:
    """Returns a compiled network of 1-3 layers; works with KerasTuner's and our `hp`."""
    activation = hp.Choice("activation", ["relu", "tanh", "sigmoid"])
    parts: list[Any] = [keras.Input((30,))]
    for number in range(hp.Int("layers", 1, 3)):
        units = hp.Int(f"units_{number}", 32, 512, step=32)
        parts.append(keras.layers.Dense(units, activation=activation))
        parts.append(keras.layers.Dropout(hp.Float(f"dropout_{number}", 0.0, 0.5, step=0.1)))
    model = keras.Sequential([*parts, keras.layers.Dense(1, activation="sigmoid")])
    rate = hp.Choice("learning_rate", [1e-3, 1e-2, 1e-1])
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model
