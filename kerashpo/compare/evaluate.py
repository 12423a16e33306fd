"""A winner on the test set."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np

from kerashpo.problems.task import Array, Split, Task

Table = list[list[int]]


def on_test(
    model: Any, split: Split, task: Task, compiled: bool = False
) -> tuple[dict[str, float], Table]:
    """Returns a model's metrics on the test set and its confusion matrix.

    Args:
        model: with the weights of its best epoch.
        split: the data of the seed.
        task: what was tuned.
        compiled: whether to evaluate in one graph call where that is exact.

    Returns:
        the metrics by name, and rows of the truth by columns of the answer, empty for a
        regression.
    """
    x, y = split.test
    scores, answers = (_compiled if compiled else _plain)(model, x, y)
    if not task.classes:
        return scores, []
    chosen = answers.argmax(axis=-1) if answers.shape[-1] > 1 else answers[:, 0] > 0.5
    return scores, confusion(y, chosen.astype(int), len(task.classes))


def _plain(model: Any, x: Array, y: Array) -> tuple[dict[str, float], Array]:
    scores = model.evaluate(x, y, batch_size=len(y), verbose=0, return_dict=True)
    answers = np.asarray(model.predict(x, batch_size=len(y), verbose=0))
    return {name: float(value) for name, value in scores.items()}, answers


def _compiled(model: Any, x: Array, y: Array) -> tuple[dict[str, float], Array]:
    # Here, for they bring Keras with them.
    from kerashpo.training.data import FitData
    from kerashpo.training.loops.base import choose
    from kerashpo.training.loops.compiled import CompiledLoop

    kind, _ = choose("auto", model, FitData.from_fit(x, y), ())
    if kind == "plain":
        return _plain(model, x, y)
    way = CompiledLoop()
    scores = way.evaluate(model, x, y, batch_size=len(y))
    answers = np.asarray(way.predict(model, x, batch_size=len(y)))
    return {name: float(value) for name, value in scores.items()}, answers


def confusion(truth: Any, answer: Any, classes: int) -> Table:
    """Returns how often each true class (rows) was answered with each class (columns)."""
    table = np.zeros((classes, classes), dtype=int)
    np.add.at(table, (np.asarray(truth, dtype=int), np.asarray(answer, dtype=int)), 1)
    return table.tolist()  # type: ignore[no-any-return]


def import_quietly(name: str) -> None:
    """Imports a module whose native code writes to the process's standard error.

    TensorFlow tells about missing GPUs and processor features before any Python setting
    reaches it. What was written is shown where the import fails.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            import_module(name)
        except BaseException:
            aside.seek(0)
            os.write(kept, aside.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextlib.contextmanager
def unwarned() -> Iterator[None]:
    """Within it another library's warnings are not shown: nobody here can mend them.

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
