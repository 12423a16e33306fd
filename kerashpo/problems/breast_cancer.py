"""The lab: 569 tumours with 30 measurements each, and a small MLP.

Data: W. H. Wolberg, W. N. Street and O. L. Mangasarian, "Breast Cancer Wisconsin
(Diagnostic)", UCI (1995), as shipped with scikit-learn. Class 0 is malignant.
"""

from __future__ import annotations

from typing import Any

from kerashpo.core.records import Objective
from kerashpo.problems.task import Split, Task

FEATURES = 30


def breast_cancer() -> Task:
    """Returns the lab's task."""
    return Task(
        name="breast_cancer",
        build=build_model,
        load=load,
        objective=Objective("val_accuracy", "max"),
        positive=0,
        positive_name="malignant",
        classes=("malignant", "benign"),
    )


def build_model(hp: Any) -> Any:
    """Returns a compiled MLP: 1-3 hidden layers, each with its own width and dropout.

    Args:
        hp: a `HyperParameters`.
    """
    import keras

    layers = hp.Int("layers", 1, 3)
    activation = hp.Choice("activation", ["relu", "tanh", "sigmoid"])
    model = keras.Sequential([keras.Input((FEATURES,))])
    for i in range(layers):
        units = hp.Int(f"units_{i}", 32, 512, step=32)
        model.add(keras.layers.Dense(units, activation=activation))
        model.add(keras.layers.Dropout(hp.Float(f"dropout_{i}", 0.0, 0.5, step=0.1)))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    rate = hp.Choice("learning_rate", [1e-3, 1e-2, 1e-1])
    model.compile(
        optimizer=keras.optimizers.Adam(rate), loss="binary_crossentropy", metrics=["accuracy"]
    )
    return model


def load(seed: int) -> Split:
    """Returns the split of a seed: a stratified fifth to test, a fifth of the rest to validate.

    The scaler is fitted on the training part alone.
    """
    from sklearn.datasets import load_breast_cancer
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    x, y = load_breast_cancer(return_X_y=True)
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
    x, x_val, y, y_val = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
    scaler = StandardScaler().fit(x)
    parts = [
        (scaler.transform(a).astype("float32"), b)
        for a, b in ((x, y), (x_val, y_val), (x_test, y_test))
    ]
    return Split(*parts)
