"""Test metrics and confusion matrices, of winners and of the answers that need no model."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from kerashpo.problems.baselines import constant_answer, labels_of
from kerashpo.problems.splits import Array, Split
from kerashpo.problems.task import Task

Table = list[list[int]]


def on_test(
    model: Any, split: Split, task: Task, compiled: bool = False
) -> tuple[dict[str, float], Table]:
    """Returns a model's metrics on the test set and its confusion matrix.

    The loss is that of the predictions, without penalties on weights, for every model alike:
    `evaluate` would take that of a single network from its logits, which know no bound, and an
    average has probabilities alone.

    Args:
        model: with the weights of its best epoch.
        split: the data of the seed.
        task: the task whose hypermodel is tuned.
        compiled: whether to evaluate in one graph call where that is exact.

    Returns:
        the metrics by name, and rows of the truth by columns of the answer, empty for a
        regression.
    """
    x, y = split.test
    scores, answers = (_compiled if compiled else _plain)(model, x, y)
    if _has_keras_loss(model):
        scores["loss"] = _measured(model, y, answers)["loss"]
    if not task.classes:
        return scores, []
    return scores, confusion(labels_of(y), _chosen(answers, model), len(task.classes))


def _plain(model: Any, x: Any, y: Array) -> tuple[dict[str, float], Array]:
    scores = model.evaluate(x, y, batch_size=len(y), verbose=0, return_dict=True)
    answers = np.asarray(model.predict(x, batch_size=len(y), verbose=0))
    return {name: float(value) for name, value in scores.items()}, answers


def _compiled(model: Any, x: Any, y: Array) -> tuple[dict[str, float], Array]:
    # Imported here, for they bring Keras with them.
    from kerashpo.training.data import FitData
    from kerashpo.training.loops.base import choose
    from kerashpo.training.loops.compiled import CompiledLoop

    kind, _ = choose("auto", model, FitData.from_fit(x, y), ())
    if kind == "plain":
        return _plain(model, x, y)
    loop = CompiledLoop()
    scores = loop.evaluate(model, x, y, batch_size=len(y))
    answers = np.asarray(loop.predict(model, x, batch_size=len(y)))
    return {name: float(value) for name, value in scores.items()}, answers


def _chosen(answers: Array, model: Any) -> Array:
    """Returns the class (n,) that each answer names: the likeliest, or one above a half."""
    if answers.shape[-1] > 1:
        return np.argmax(answers, axis=-1)
    half = 0.0 if _has_logits(model) else 0.5
    return np.greater(np.reshape(answers, len(answers)), half).astype(int)


def _has_keras_loss(model: Any) -> bool:
    """Whether the loss is the compiled one of predictions, not computed in a way of its own."""
    import keras

    own = type(model).compute_loss is not keras.Model.compute_loss
    return model.compiled and model.loss is not None and not own


def _has_logits(model: Any) -> bool:
    return bool(getattr(model.loss, "from_logits", False))


def constant_scores(model: Any, split: Split, task: Task) -> dict[str, float]:
    """Returns validation and test metrics of the constant answer, by a model's loss and metrics.

    The answer is the classes' shares, or the mean, of the training part. Penalties on weights
    do not count. A metric that a model computes in a way of its own is missing.

    Args:
        model: compiled; its weights do not matter.
        split: the data of the seed.
        task: the task whose hypermodel is tuned.
    """
    # On first use: they import TensorFlow, and a command reads its own file before, silently.
    from kerashpo.training.build import build_all
    from kerashpo.training.data import FitData

    x, y = split.train
    build_all(model, FitData.from_fit(x, y))  # without an Input, the first batch would build it
    answer = constant_answer(y, len(task.classes))
    width = model.output_shape[-1]
    if task.classes:
        answer = _as_output(answer, width, _has_logits(model))
    found = {}
    for part, (_, y) in (("val", split.validation), ("test", split.test)):
        shape = (len(y), width) if task.classes or y.ndim < 3 else y.shape
        answers = np.broadcast_to(answer, shape).astype("float32")
        for name, value in _measured(model, y, answers).items():
            found[f"{part}_{name}"] = value
    return found


def _as_output(shares: Array, width: int, logits: bool) -> Array:
    """Returns shares of the classes as a model's output: one column for two classes, or logits."""
    shares = np.clip(shares, 1e-7, 1.0)
    if width == 1:
        likely = shares[-1:]
        return np.log(likely / (1 - likely)) if logits else likely
    return np.log(shares) if logits else shares


def _measured(model: Any, y: Array, answers: Array) -> dict[str, float]:
    from keras import ops

    model.reset_metrics()
    truth, predicted = ops.convert_to_tensor(y), ops.convert_to_tensor(answers)
    loss = float(model.compute_loss(y=truth, y_pred=predicted)) - sum(map(float, model.losses))
    metrics = model.compute_metrics(None, truth, predicted)
    model.reset_metrics()
    return {**{name: float(value) for name, value in metrics.items()}, "loss": loss}


def confusion(truth: Any, answer: Any, classes: int) -> Table:
    """Returns how often each true class (rows) was answered with each class (columns)."""
    table = np.zeros((classes, classes), dtype=int)
    np.add.at(table, (np.asarray(truth, dtype=int), np.asarray(answer, dtype=int)), 1)
    return table.tolist()  # type: ignore[no-any-return]


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """Suppresses other libraries' warnings, which the user cannot act on.

    KerasTuner loads weights into optimizers that are not built, its Gaussian process does
    not converge, and TensorFlow counts the graphs that a search of many models must trace.
    """
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
