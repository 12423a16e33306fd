"""Diabetes, a regression: 442 patients, 10 measurements, the progression a year later.

Data: B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, "Least Angle Regression",
Annals of Statistics 32 (2004), as shipped with scikit-learn. Noisy: the best models
explain about half of the variance.
"""

from __future__ import annotations

from typing import Any

from kerashpo.core.records import Objective
from kerashpo.problems.baselines import mean_answer
from kerashpo.problems.mlp import add_hidden
from kerashpo.problems.splits import Split, mapped, split_of, standardised
from kerashpo.problems.task import Task

FEATURES = 10


def diabetes() -> Task:
    """Returns the task: R² on the validation part, the share of variance explained."""
    return Task(
        name="diabetes",
        build=build_model,
        load=load,
        objective=Objective("val_r2_score", "max"),
        target=0.45,
        title={"en": "Diabetes", "es": "Diabetes"},
        description={
            "en": "442 patients with 10 measurements each: how far has diabetes progressed a year "
            "later? A network of one to three dense layers; R², the share of the variance that is "
            "explained, decides.",
            "es": "442 pacientes con 10 medidas cada uno: ¿cuánto ha avanzado la diabetes un año "
            "después? Una red de una a tres capas densas; decide R², la parte de la varianza que "
            "se explica.",
        },
        constant=mean_answer,
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
    model.add(keras.layers.Dense(1))
    rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log", default=1e-3)
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss="mean_squared_error",
        metrics=[keras.metrics.R2Score(name="r2_score")],
    )
    return model


def load(seed: int) -> Split:
    """Returns the split of a seed; features and target have mean 0, variance 1 in training.

    So a squared error of 1 is that of always answering with the mean.
    """
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True, scaled=False)
    split = standardised(split_of(x, y, seed, stratify=False))
    mean, spread = float(split.train[1].mean()), float(split.train[1].std())
    return mapped(
        split, lambda x: x, lambda y: ((y - mean) / spread).reshape(-1, 1).astype("float32")
    )
