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
