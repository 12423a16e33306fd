"""One batch through the default model before the search: the objective exists, the data fit."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import keras

from kerashpo.core.errors import InvalidInput, nearest
from kerashpo.core.records import Objective
from kerashpo.training.data import FitData
from kerashpo.training.user_callbacks import may_log

_LOG = logging.getLogger("kerashpo")


def check_objectives(
    model: keras.Model,
    data: FitData,
    objectives: Sequence[Objective],
    callbacks: Sequence[Any],
    epochs: int = 1,
) -> None:
    """Raises unless the model, or a callback, will log the objectives.

    The model (a throwaway) is trained and evaluated on one batch, eagerly. Only if that logs no
    objective are callbacks of the user's own shown the end of a first and a last epoch, for they
    may add it; where one of them raises, nothing is refused. Nor are data that cannot be looked
    at without being used up (generators).

    Args:
        model: as the default values build it.
        data: what will be trained on.
        objectives: those that must be logged.
        callbacks: copies of the user's.
        epochs: the most epochs of a trial.

    Raises:
        InvalidInput: naming the metrics that exist.
        Exception: whatever the model raises on the batch.
    """
    batch = _first_batch(data)
    if batch is None:
        return
    logged = _logged(model, batch, data.validation is not None)
    if all(objective.name in logged for objective in objectives):
        return
    added = _added(model, logged, [one for one in callbacks if may_log(one)], epochs)
    if added is None:
        return
    logged |= added
    for objective in objectives:
        if objective.name in logged:
            continue
        if objective.name.startswith("val_") and data.validation is None:
            raise InvalidInput(
                f"The objective {objective.name!r} is measured on validation data, but none were "
                "given. Pass validation_data=(x, y) or validation_split=0.2 to search, or choose "
                f"one of: {', '.join(logged)}."
            )
        raise InvalidInput(
            f"The model does not log the objective {objective.name!r}."
            f"{nearest(objective.name, logged)} It logs: {', '.join(logged)}."
        )


def _logged(model: keras.Model, batch: tuple[Any, Any, Any], validates: bool) -> dict[str, Any]:
    x, y, weight = batch
    model.run_eagerly = True
    logs = dict(model.train_on_batch(x, y, sample_weight=weight, return_dict=True))
    if validates:
        tested = model.test_on_batch(x, y, sample_weight=weight, return_dict=True)
        logs |= {f"val_{name}": value for name, value in tested.items()}
    return logs


def _added(
    model: keras.Model, logs: dict[str, Any], callbacks: Sequence[Any], epochs: int
) -> dict[str, Any] | None:
    """Returns what callbacks add to the logs of an epoch, None where that cannot be told."""
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
        # It would fail its trial too, or asks for what a training has and this has not.
        _LOG.debug("A callback cannot be asked what it logs: %r", error)
        return None
    return found


def _first_batch(data: FitData) -> tuple[Any, Any, Any] | None:
    """Returns a small batch, None where looking would use the data up."""
    if data.trains_on_arrays:
        few = min(data.batch, data.samples, 8)

        def cut(leaf: Any) -> Any:
            return None if leaf is None else leaf[:few]

        x, y, weight = keras.tree.map_structure(cut, data.weighted())
        return x, y, weight
    if isinstance(data.x, keras.utils.PyDataset):
        return keras.utils.unpack_x_y_sample_weight(data.x[0])  # type: ignore[no-any-return]
    if hasattr(data.x, "element_spec") and hasattr(data.x, "take"):
        for batch in data.x.take(1):
            return keras.utils.unpack_x_y_sample_weight(batch)  # type: ignore[no-any-return]
    return None
