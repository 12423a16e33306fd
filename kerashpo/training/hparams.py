"""TensorBoard's HParams page: writes a trial's hyperparameters beside its logged metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Any

import keras


def hparams_callbacks(
    callbacks: Iterable[Any], values: Mapping[str, Any], trial: int
) -> list[keras.callbacks.Callback]:
    """Returns a callback per `TensorBoard` callback, which writes the trial's values to its folder.

    KerasTuner does the same. Returns no callbacks if the package tensorboard is not installed.

    Args:
        callbacks: the trial's callbacks, with their final folders.
        values: the trial's hyperparameter values.
        trial: the trial's number.
    """
    folders = [
        str(one.log_dir) for one in callbacks if isinstance(one, keras.callbacks.TensorBoard)
    ]
    if not folders or find_spec("tensorboard") is None:
        return []
    from tensorboard.plugins.hparams import api

    plain = {name: _plain(value) for name, value in values.items()}
    return [api.KerasCallback(folder, plain, trial_id=str(trial)) for folder in folders]


def _plain(value: Any) -> bool | int | float | str:
    return value if isinstance(value, (bool, int, float, str)) else str(value)
