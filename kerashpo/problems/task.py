"""A data set with a hypermodel: what the comparison trains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerashpo.core.records import Objective

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Split:
    """One seed's data in three disjoint parts.

    Samples x (n, ...) are float32; y is (n,) for classes and (n, 1) for numbers. A search
    sees `train` and `validation`; `test` is for its winner alone.
    """

    train: tuple[Array, Array]
    validation: tuple[Array, Array]
    test: tuple[Array, Array]


@dataclass(frozen=True, slots=True)
class Task:
    """What a comparison needs to know of a problem.

    Attributes:
        name: its registry name.
        build: ``build_model(hp)``.
        load: returns the split of a seed.
        objective: what is searched for, a metric on the validation part.
        target: a good value of the objective; a comparison tells how soon it was reached.
        batch_size: samples a batch.
        positive: the class whose recall a reader asks for, None where there is none.
        positive_name: what it is called.
        classes: the names of the classes, by number; empty for a regression.
    """

    name: str
    build: Callable[[Any], Any]
    load: Callable[[int], Split]
    objective: Objective
    target: float
    batch_size: int = 32
    positive: int | None = None
    positive_name: str = ""
    classes: tuple[str, ...] = ()

    @property
    def metric(self) -> str:
        """The objective's metric without the part that it is measured on, e.g. ``accuracy``."""
        return self.objective.name.removeprefix("val_")

    @property
    def baseline(self) -> str:
        """What needs no model: ``"majority"`` for classes, ``"mean"`` for numbers."""
        return "majority" if self.classes else "mean"


def majority(split: Split) -> dict[str, float]:
    """Returns accuracy and log loss of always answering with the training classes' shares."""
    classes, counts = np.unique(split.train[1], return_counts=True)
    shares = dict(zip(classes.tolist(), (counts / counts.sum()).tolist()))
    best = max(shares, key=lambda label: shares[label])
    found: dict[str, float] = {}
    for name, (_, y) in (("val", split.validation), ("test", split.test)):
        found[f"{name}_accuracy"] = float(np.mean(y == best))
        found[f"{name}_loss"] = float(-np.mean([np.log(shares[label]) for label in y.tolist()]))
    return found


def mean_answer(split: Split) -> dict[str, float]:
    """Returns R² and squared error of always answering with the training part's mean.

    R² = 1 - sum((y - answer)²) / sum((y - mean(y))²), as `sklearn.metrics.r2_score`.
    """
    answer = float(np.mean(split.train[1]))
    found: dict[str, float] = {}
    for name, (_, y) in (("val", split.validation), ("test", split.test)):
        error = float(np.mean((y - answer) ** 2))
        found[f"{name}_r2_score"] = 1.0 - error / float(np.var(y))
        found[f"{name}_loss"] = error
    return found


TEST = 0.2
"""The share of all samples that only winners see."""
VALIDATION = 0.2
"""The share of the rest that decides."""


def split_of(x: Array, y: Array, seed: int, stratify: bool) -> Split:
    """Returns the split of a seed: a fifth to test, a fifth of the rest to validate.

    Args:
        x: the samples (n, ...).
        y: the targets (n,).
        seed: another seed, another split.
        stratify: whether every part keeps the shares of the classes in `y`.
    """
    from sklearn.model_selection import train_test_split

    def cut(x: Array, y: Array, share: float) -> Any:
        classes = y if stratify else None
        return train_test_split(x, y, test_size=share, stratify=classes, random_state=seed)

    x, x_test, y, y_test = cut(x, y, TEST)
    x, x_val, y, y_val = cut(x, y, VALIDATION)
    return Split((x, y), (x_val, y_val), (x_test, y_test))


def mapped(split: Split, of_x: Callable[[Array], Array], of_y: Callable[[Array], Array]) -> Split:
    """Returns the split with both functions applied to each of its parts."""
    parts = (split.train, split.validation, split.test)
    return Split(*((of_x(x), of_y(y)) for x, y in parts))


def standardised(split: Split) -> Split:
    """Returns the split with features of mean 0 and variance 1 on its training part, float32."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(split.train[0])
    return mapped(split, lambda x: scaler.transform(x).astype("float32"), lambda y: y)
