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
    """One seed's data: x (n, features) float32 and y (n,), in three disjoint parts.

    A search sees `train` and `validation`; `test` is for its winner alone.
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
        objective: what is searched for.
        max_epochs: the most epochs of a trial.
        batch_size: samples a batch.
        positive: the class whose recall a reader asks for, None where there is none.
        positive_name: what it is called.
        classes: the names of the classes, by number.
    """

    name: str
    build: Callable[[Any], Any]
    load: Callable[[int], Split]
    objective: Objective
    max_epochs: int = 50
    batch_size: int = 32
    positive: int | None = None
    positive_name: str = ""
    classes: tuple[str, ...] = ()


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
