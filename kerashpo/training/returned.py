"""What a training loop of the user's own returns: a History, a dict, a float, or several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from kerashpo.core.errors import UnusableResult, nearest

Epochs = list[tuple[int, dict[str, float]]]
"""Epochs, counted from 1, with their metrics."""


def as_runs(result: Any, where: str) -> list[Any]:
    """Returns the results of each execution or fold.

    Raises:
        UnusableResult: if there is none.
    """
    if not isinstance(result, (list, tuple)):
        return [result]
    if not result:
        raise UnusableResult(f"{where} returned an empty list: return a result for each run.")
    return list(result)


def as_epochs(result: Any, objective: str, where: str, required: str | None) -> Epochs:
    """Returns the epochs that one result tells of; a dict or number tells of one, the first.

    Args:
        result: what was returned.
        objective: the metric that a bare number stands for.
        required: a metric that must be among others, None where there is none.
        where: who returned it, for the error.

    Raises:
        UnusableResult: if it is none of these, or lacks the objective.
    """
    if isinstance(result, keras.callbacks.History):
        return _history(result, where, required)
    metrics = as_metrics(result, objective, where, required)
    return [(1, metrics)]


def as_metrics(result: Any, objective: str, where: str, required: str | None) -> dict[str, float]:
    """Returns the metrics that a dict or number tells.

    Raises:
        UnusableResult: as `as_epochs`.
    """
    if isinstance(result, Mapping):
        _require(required, list(result), where)
        return {str(name): _number(value, name, where) for name, value in result.items()}
    if _is_number(result):
        return {objective: float(result)}
    hint = " Did you forget to return the metrics?" if result is None else ""
    raise UnusableResult(
        f"{where} must return a float, a dict of metrics, a keras History, or a list of them."
        f"{hint} Received: {result!r} of type {type(result).__name__}."
    )


def _history(result: keras.callbacks.History, where: str, required: str | None) -> Epochs:
    logged = result.history
    _require(required, list(logged), where)
    count = max(len(values) for values in logged.values())
    numbers = list(result.epoch) if len(result.epoch) == count else list(range(count))
    epochs: Epochs = []
    for at, number in enumerate(numbers):
        # A metric that is validated now and then is missing from the other epochs.
        metrics = {name: float(v[at]) for name, v in logged.items() if len(v) == count}
        epochs.append((number + 1, metrics))
    return epochs


def mean(results: list[dict[str, float]]) -> dict[str, float]:
    """Returns the mean of each metric that all results have."""
    names = [name for name in results[0] if all(name in one for one in results)]
    return {name: sum(one[name] for one in results) / len(results) for name in names}


def _require(objective: str | None, names: list[str], where: str) -> None:
    if objective is not None and objective not in names:
        raise UnusableResult(
            f"{where} returned metrics without the objective {objective!r}."
            f"{nearest(objective, names)} Received: {', '.join(map(str, names)) or 'nothing'}."
        )


def _is_number(value: Any) -> bool:
    if isinstance(value, (bool, str, bytes)):
        return False
    return isinstance(value, (int, float, np.number)) or (np.ndim(value) == 0 and _converts(value))


def _converts(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _number(value: Any, name: Any, where: str) -> float:
    if not _converts(value):
        raise UnusableResult(
            f"{where} returned {name!r} as {value!r}, which is no number. Return numbers alone."
        )
    return float(value)
