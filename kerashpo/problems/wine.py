"""Wine: 178 bottles from three growers, 13 measurements each, and a small MLP.

Data: S. Aeberhard and M. Forina, "Wine", UCI (1991), as shipped with scikit-learn. The
smallest of the problems: 29 bottles validate, so many configurations reach 100 % there.
"""

from __future__ import annotations

from typing import Any

from kerashpo.core.records import Objective
from kerashpo.problems.baselines import majority
from kerashpo.problems.mlp import add_hidden
from kerashpo.problems.splits import Split, split_of, standardised
from kerashpo.problems.task import Task

FEATURES = 13
CLASSES = ("grower 0", "grower 1", "grower 2")


def wine() -> Task:
    """Returns the task."""
    return Task(
        name="wine",
        build=build_model,
        load=load,
        objective=Objective("val_accuracy", "max"),
        target=0.98,
        batch_size=16,
        classes=CLASSES,
        title={"en": "Wine", "es": "Vino"},
        description={
            "en": "178 wines with 13 measurements each: which of three growers made it? A network "
            "of one to three dense layers; accuracy decides.",
            "es": "178 vinos con 13 medidas cada uno: ¿cuál de tres viticultores lo hizo? Una red "
            "de una a tres capas densas; decide la exactitud.",
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
    add_hidden(model, hp, 8, 128, 8, default=32)
    model.add(keras.layers.Dense(len(CLASSES), activation="softmax"))
    rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log", default=1e-3)
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def load(seed: int) -> Split:
    """Returns the split of a seed, stratified; the scaler saw the training part alone."""
    from sklearn.datasets import load_wine

    x, y = load_wine(return_X_y=True)
    return standardised(split_of(x, y, seed, stratify=True))
