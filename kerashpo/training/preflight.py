"""One batch through the default model before the search: the objective exists, the data fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from kerashpo.core.errors import InvalidInput, nearest
from kerashpo.core.records import Objective
from kerashpo.training.fitdata import FitData


def check_objectives(
    model: keras.Model,
    data: FitData,
    objectives: Sequence[Objective],
    callbacks: Sequence[Any],
) -> None:
    """Raises unless the model will log the objectives.

    The model (a throwaway) is trained and evaluated on one batch, eagerly. Data that cannot
    be looked at without being used up (generators) are not looked at, and a callback of
    the user's own may log more than the model does; then nothing is refused.

    Raises:
        InvalidInput: naming the metrics that exist.
        Exception: whatever the model raises on the batch.
    """
    batch = _first_batch(data)
    if batch is None or any(_is_own(callback) for callback in callbacks):
        return
    logged = _logged(model, batch, data.validation is not None)
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


def _logged(model: keras.Model, batch: tuple[Any, Any, Any], validates: bool) -> list[str]:
    x, y, weight = batch
    model.run_eagerly = True
    trained = model.train_on_batch(x, y, sample_weight=weight, return_dict=True)
    names = list(trained)
    if validates:
        tested = model.test_on_batch(x, y, sample_weight=weight, return_dict=True)
        names += [f"val_{name}" for name in tested]
    return names


def _first_batch(data: FitData) -> tuple[Any, Any, Any] | None:
    """Returns a small batch, None where looking would use the data up."""
    if data.is_arrays:
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


def _is_own(callback: Any) -> bool:
    """Whether a callback may add to the logs: it is not one of Keras's."""
    return not type(callback).__module__.startswith("keras.")
