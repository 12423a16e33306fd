"""The lab: 569 tumours with 30 measurements each, and a small MLP.

Data: W. H. Wolberg, W. N. Street and O. L. Mangasarian, "Breast Cancer Wisconsin
(Diagnostic)", UCI (1995), as shipped with scikit-learn. Class 0 is malignant.
"""

from __future__ import annotations

from typing import Any

from kerashpo.core.records import Objective
from kerashpo.problems.baselines import majority
from kerashpo.problems.mlp import add_hidden
from kerashpo.problems.splits import Split, split_of, standardised
from kerashpo.problems.task import Task

FEATURES = 30


def breast_cancer() -> Task:
    """Returns the lab's task."""
    return Task(
        name="breast_cancer",
        build=build_model,
        load=load,
        objective=Objective("val_accuracy", "max"),
        target=0.98,
        positive=0,
        classes=("malignant", "benign"),
        title={"en": "Breast cancer", "es": "Cáncer de mama"},
        description={
            "en": "569 tumours with 30 measurements each: is the tumour malignant or benign? A "
            "network of one to three dense layers; accuracy decides.",
            "es": "569 tumores con 30 medidas cada uno: ¿es maligno o benigno? Una red de una a "
            "tres capas densas; decide la exactitud.",
        },
        constant=majority,
    )


def build_model(hp: Any) -> Any:
    """Returns a compiled MLP: 1-3 hidden layers, each with its own width and dropout.

    Its defaults: one layer of 32 ReLU units, no dropout, Adam at its own rate of 1e-3.

    Args:
        hp: a `HyperParameters`.
    """
    import keras

    model = keras.Sequential([keras.Input((FEATURES,))])
    add_hidden(model, hp, 32, 512, 32)
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    rate = hp.Choice("learning_rate", [1e-3, 1e-2, 1e-1])
    model.compile(
        optimizer=keras.optimizers.Adam(rate), loss="binary_crossentropy", metrics=["accuracy"]
    )
    return model


def load(seed: int) -> Split:
    """Returns the split of a seed, stratified; the scaler saw the training part alone."""
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    return standardised(split_of(x, y, seed, stratify=True))
