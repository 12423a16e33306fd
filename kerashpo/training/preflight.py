"""Preflight check: trains the default model on one batch before the search starts."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from kerashpo.core.errors import InvalidInput, nearest
from kerashpo.core.records import Objective
from kerashpo.objectives import MEASURED
from kerashpo.training.arrays import are_arrays
from kerashpo.training.batch_spec import first_batch
from kerashpo.training.build import build_all, built_already
from kerashpo.training.data import FitData
from kerashpo.training.user_callbacks import may_log, to_metrics

_LOG = logging.getLogger("kerashpo")


def check_objectives(
    model: keras.Model,
    data: FitData,
    objectives: Sequence[Objective],
    callbacks: Sequence[Any],
    epochs: int = 1,
    first_rung: int | None = None,
    limited: Collection[str] = (),
) -> None:
    """Raises unless the model, or a callback, logs the objectives and limited metrics.

    The model (a throwaway) is trained and evaluated on one batch, eagerly, as `fit` would do it.
    Only if the objective is missing from those logs are the user's callbacks called for the end of
    a first and a last epoch, since they may add it; if one of them raises, the check is skipped. It
    is also skipped for data that cannot be read without consuming them.

    Args:
        model: built with the default values.
        data: the training data.
        objectives: the objectives and limited metrics that must be logged.
        callbacks: copies of the user's.
        epochs: the maximum number of epochs of a trial.
        first_rung: after how many epochs a trial is first compared with others; None for
            `epochs`.
        limited: the names of limited metrics, for the error.

    Raises:
        InvalidInput: naming the metrics that exist, or for labels that are texts.
        Exception: whatever the model raises on the batch.
    """
    check_validation_freq(data, objectives, first_rung or epochs)
    batch = _batch(data)
    if batch is None:
        return
    try:
        logged = _logged(model, batch, data.validation is not None)
    except Exception as error:
        if (label := _text_label(batch[1])) is None:
            raise
        raise InvalidInput(
            f"The labels y are texts, e.g. {label!r}, and the model cannot be trained on them. "
            "Pass numbers: y = np.unique(y, return_inverse=True)[1]; kerashpo.SearchCV takes texts."
        ) from error
    if {objective.name for objective in objectives} <= to_metrics(logged).keys():
        return
    added = _added(model, logged, [one for one in callbacks if may_log(one)], epochs)
    if added is None:
        return
    logged |= added
    metrics = to_metrics(logged)
    for objective in objectives:
        if objective.name not in metrics:
            kind = "limited metric" if objective.name in limited else "objective"
            raise InvalidInput(_missing(kind, objective.name, metrics, logged, data))


def check_validation_freq(data: FitData, objectives: Sequence[Objective], epochs: int) -> None:
    """Raises InvalidInput if no epoch before the first comparison of trials is validated."""
    if data.validation is None or any(map(data.validates, range(1, epochs + 1))):
        return
    for objective in objectives:
        if objective.name.startswith("val_"):
            raise InvalidInput(never_validated(objective.name, data.validation_freq, epochs))


def never_validated(name: str, frequency: Any, epochs: int) -> str:
    """Returns the message for an objective that is never measured within `epochs` epochs."""
    after = f"every {frequency} epochs" if isinstance(frequency, int) else f"epochs {frequency}"
    return (
        f"The objective {name!r} is measured only after {after} (validation_freq), but trials are "
        f"compared after epoch {epochs}, so they would have no score. Pass a smaller "
        "validation_freq, or more epochs."
    )


def _missing(
    kind: str, name: str, metrics: Collection[str], logged: dict[str, Any], data: FitData
) -> str:
    shown = ", ".join(metrics)
    if name.startswith("val_") and data.validation is None:
        return (
            f"The {kind} {name!r} is measured on validation data, but none were given. Pass "
            "validation_data=(x, y) or validation_split=0.2 to search, or choose one of: "
            f"{shown}."
        )
    if name in logged:
        return (
            f"The {kind} {name!r} is no single number: the metric returns an array of shape "
            f"{np.shape(logged[name])}. Have it averaged (average='macro', say), or choose one of "
            f"its elements. The model logs: {shown}."
        )
    if name in MEASURED:
        return (
            f"The model does not log the {kind} {name!r}, and an Objective without of= is a metric "
            f"that the model logs. Pass the name alone, {name!r}, or "
            f"kerashpo.objectives.{name}(). The model logs: {shown}."
        )
    return f"The model does not log the {kind} {name!r}.{nearest(name, metrics)} It logs: {shown}."


def _text_label(y: Any) -> str | None:
    """Returns one of the labels if they are texts, None for numbers."""
    for leaf in keras.tree.flatten(y):
        values = np.asarray(leaf).ravel() if isinstance(leaf, (np.ndarray, list)) else None
        if values is not None and len(values) and isinstance(values[0], (str, bytes)):
            return str(values[0])
    return None


def _logged(model: keras.Model, batch: Any, validates: bool) -> dict[str, Any]:
    """Returns the logs of one epoch of one batch."""
    if keras.backend.backend() == "jax" and (logs := _logged_by_shapes(model, batch, validates)):
        return logs
    eager = getattr(model, "_distribute_strategy", None) is None
    if eager:
        model.run_eagerly = True
    if eager and keras.backend.backend() == "tensorflow" and are_arrays(batch):
        return _logged_directly(model, batch, validates)
    x, y, weight = batch
    size = next(leaf.shape[0] for leaf in keras.tree.flatten(batch) if leaf is not None)
    build_all(model, FitData(x, y, weight))
    with built_already(model):
        history = model.fit(
            x,
            y,
            sample_weight=weight,
            batch_size=size,
            validation_data=batch if validates else None,
            verbose=0,
        )
    return {name: values[-1] for name, values in history.history.items()}


def _logged_directly(model: keras.Model, batch: Any, validates: bool) -> dict[str, Any]:
    """Returns the logs of the model's own steps: a fifth of the time of `fit` with its pipeline."""
    import tensorflow as tf

    packed = keras.tree.map_structure(
        lambda leaf: None if leaf is None else tf.convert_to_tensor(leaf),
        keras.tree.lists_to_tuples(keras.utils.pack_x_y_sample_weight(*batch)),
    )
    model.reset_metrics()
    logs = _flat(model._get_metrics_result_or_logs(model.train_step(packed)))
    if validates:
        model.reset_metrics()
        tested = _flat(model._get_metrics_result_or_logs(model.test_step(packed)))
        logs |= {f"val_{name}": value for name, value in tested.items()}
    return logs


def _logged_by_shapes(model: keras.Model, batch: Any, validates: bool) -> dict[str, Any] | None:
    """Returns logs of zeros from the steps' shapes, which JAX infers without compiling anything.

    None where that is impossible: for steps that need values or fail, which `fit` then explains.
    """
    import jax

    if model.run_eagerly or not model.jit_compile or not are_arrays(batch):
        return None
    packed = keras.tree.lists_to_tuples(keras.utils.pack_x_y_sample_weight(*batch))
    try:
        build_all(model, FitData(*batch))
        groups = model.trainable_variables, model.non_trainable_variables
        weights = [[variable.value for variable in group] for group in groups]
        metrics = [variable.value for variable in model.metrics_variables]
        optimizer = [variable.value for variable in model.optimizer.variables]
        logs, _ = jax.eval_shape(model.train_step, (*weights, optimizer, metrics), packed)
        found = _flat(logs)
        if validates:
            tested, _ = jax.eval_shape(model.test_step, (*weights, metrics), packed)
            found |= {f"val_{name}": value for name, value in _flat(tested).items()}
    except Exception as error:  # whatever the user's code raises
        _LOG.debug("Cannot infer what the model logs: %r", error)
        return None
    return {name: np.zeros(value.shape, value.dtype) for name, value in found.items()}


def _flat(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Returns logs with the entries of a metric that returns a dict, as `fit` logs them."""
    flat: dict[str, Any] = {}
    for name, value in logs.items():
        flat |= _flat(value) if isinstance(value, Mapping) else {name: value}
    return flat


def _added(
    model: keras.Model, logs: dict[str, Any], callbacks: Sequence[Any], epochs: int
) -> dict[str, Any] | None:
    """Returns the metrics that callbacks add to an epoch's logs, None if that is unknown."""
    found: dict[str, Any] = {}
    try:
        for callback in callbacks:
            callback.set_params({"epochs": epochs, "steps": 1, "verbose": 0})
            callback.set_model(model)
            callback.on_train_begin({})
        for epoch in sorted({0, epochs - 1}):
            seen = dict(logs)
            for callback in callbacks:
                callback.on_epoch_begin(epoch, {})
                callback.on_epoch_end(epoch, seen)
            found |= seen
        for callback in callbacks:
            callback.on_train_end({})
    except Exception as error:
        # It would fail its trial too, or it needs something that only a real training has.
        _LOG.debug("Cannot determine what a callback logs: %r", error)
        return None
    return found


def _batch(data: FitData) -> tuple[Any, Any, Any] | None:
    """Returns the first batch, None if reading it would consume the data."""
    if hasattr(data.x, "element_spec") and hasattr(data.x, "take"):
        for batch in data.x.take(1):
            return keras.utils.unpack_x_y_sample_weight(batch)  # type: ignore[no-any-return]
        return None
    return first_batch(data)
