"""The model function of `SearchCV`: it gets the data's sizes, and its models are checked."""

from __future__ import annotations

import inspect
import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import compute_class_weight

from kerashpo.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the layers of a model depend on.

    Attributes:
        features: columns of X.
        classes: labels of a classification, 2 if rows have several of them, None for a regression.
        outputs: columns of y.
    """

    features: int
    classes: int | None
    outputs: int

    def builder(self, build: Any) -> Callable[[Any], Any]:
        """Returns ``build_model(hp)``; the function given may take ``(hp, meta)`` too.

        Raises:
            InvalidInput: if it is no function; when it is called, if its model does not fit.
        """
        if not callable(build):
            raise InvalidInput(f"build_model must be a function of hp. Received: {build!r}.")
        try:
            takes = len(inspect.signature(build).parameters)
        except (TypeError, ValueError):  # a callable without a signature
            takes = 1
        meta = {
            "n_features_in_": self.features,
            "n_classes_": self.classes,
            "n_outputs_": self.outputs,
        }

        def build_checked(hp: Any) -> Any:
            model = build(hp) if takes < 2 else build(hp, meta)
            self.check(model)
            return model

        return build_checked

    def check(self, model: Any) -> None:
        """Raises InvalidInput for a model whose output or loss does not fit the targets.

        Keras broadcasts such shapes without a word, or fails deep inside. Models that have no
        output shape yet, and losses of the user's own, are left to Keras.
        """
        outputs = getattr(model, "outputs", None)
        loss = _loss_name(getattr(model, "loss", None))
        if not isinstance(outputs, list) or loss is None:
            return
        if len(outputs) > 1:
            raise InvalidInput(
                f"SearchCV needs a model with one output. Received: {len(outputs)} outputs."
            )
        if None in (shape := outputs[0].shape[1:]):
            return
        units = math.prod(shape)
        if self.classes is None or self.outputs > 1:
            self._check_columns(units, loss)
        else:
            self._check_classes(units, loss, self.classes)

    def _check_columns(self, units: int, loss: str) -> None:
        if self.classes is not None and "categorical" in loss:
            raise InvalidInput(
                f"The loss {loss!r} is for one label per row, but y has {self.outputs} columns of "
                "0 and 1: compile the model with 'binary_crossentropy' and end it in a sigmoid "
                "unit for each, meta['n_outputs_']."
            )
        if units != self.outputs:
            raise InvalidInput(
                f"The model has {_count(units)}, but y has {self.outputs} column(s). "
                "build_model(hp, meta) finds their number in meta['n_outputs_']."
            )

    def _check_classes(self, units: int, loss: str, classes: int) -> None:
        if units != classes and (units, classes) != (1, 2):
            raise wrong_outputs(units, classes)
        if loss.startswith("categorical"):
            raise InvalidInput(
                f"The loss {loss!r} expects one-hot labels, but SearchCV passes integers from 0. "
                "Compile the model with 'sparse_categorical_crossentropy'."
            )
        if units > 1 and loss.startswith("binary"):
            raise InvalidInput(
                f"The loss {loss!r} is for one sigmoid unit, but the model has {_count(units)}. "
                "Compile it with 'sparse_categorical_crossentropy', or end it in one unit."
            )


def wrong_outputs(units: int, classes: int) -> InvalidInput:
    """Returns the error for a classifier with too many or too few output units."""
    numbers = " To predict numbers, pass task='regression'." if units == 1 else ""
    return InvalidInput(
        f"The model has {_count(units)} for {classes} classes: it should end in one sigmoid unit "
        "(two classes) or in a unit for each class. build_model(hp, meta) finds their number in "
        f"meta['n_classes_'].{numbers}"
    )


def summing_to_one(probabilities: Any) -> Any:
    """Returns rows divided by their sum where it is 1 to float32 precision, unchanged elsewhere.

    Float64 rows that add up to 1.0000001 get a warning from scikit-learn's metrics.
    """
    total = probabilities.sum(axis=1, keepdims=True)
    return np.where(np.abs(total - 1.0) < 1e-4, probabilities / total, probabilities)


def class_weights(given: Any, classes: Any, y: Any) -> dict[int, float]:
    """Returns a weight for each class number.

    Args:
        given: ``"balanced"``, or a dict of weights by label; labels that it lacks weigh 1.
        classes: the labels, sorted.
        y: the class number of each row.

    Raises:
        InvalidInput: for anything else, a label that is not in the data, or rows of several.
    """
    if y.ndim > 1:
        raise InvalidInput(
            "class_weight is for one label per row, and y has several columns: pass sample_weight."
        )
    if isinstance(given, Mapping):
        known = classes.tolist()
        if absent := [label for label in given if label not in known]:
            raise InvalidInput(
                f"class_weight has {absent[0]!r}, which is no label of y. "
                f"The labels are: {', '.join(map(repr, known))}."
            )
        given = {known.index(label): weight for label, weight in given.items()}
    elif given != "balanced":
        raise InvalidInput(
            "class_weight must be None, 'balanced', or a dict of a weight for each label. "
            f"Received: {given!r}."
        )
    numbers = np.arange(len(classes))
    weights = compute_class_weight(given, classes=numbers, y=y)
    return {int(number): float(weight) for number, weight in zip(numbers, weights)}


@contextmanager
def without_retracing_notices() -> Iterator[None]:
    """Drops TensorFlow's log messages about retracing.

    They come once several models have predicted, as in a cross-validation, although each of them
    was traced only once.
    """

    def other(record: logging.LogRecord) -> bool:
        return "retracing" not in record.getMessage()

    log = logging.getLogger("tensorflow")
    log.addFilter(other)
    try:
        yield
    finally:
        log.removeFilter(other)


def _loss_name(loss: Any) -> str | None:
    """Returns the name of one of Keras's losses, None for any other."""
    if isinstance(loss, str):
        return loss
    if type(loss).__module__.startswith("keras.") and isinstance(getattr(loss, "name", None), str):
        return str(loss.name)
    return None


def _count(units: int) -> str:
    return "1 output unit" if units == 1 else f"{units} output units"
