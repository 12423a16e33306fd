"""Where the user's callbacks write: a folder of its own for each trial."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras


def give_place(callback: Any, trial: int, run: int = 0) -> None:
    """Moves what one of Keras's callbacks writes into ``<trial>/execution<run>``.

    KerasTuner does so for `TensorBoard`, and lets every trial overwrite the files of the
    others. Other callbacks are left alone: a function among ``callbacks`` can make them.

    Args:
        callback: the trial's own copy, before it has written anything.
        trial: the trial's number.
        run: which execution.
    """
    own = Path(str(trial)) / f"execution{run}"
    match callback:
        case keras.callbacks.TensorBoard():
            callback.log_dir = str(Path(callback.log_dir) / own)
        case keras.callbacks.ModelCheckpoint():
            callback.filepath = _beside(callback.filepath, own)
        case keras.callbacks.CSVLogger():
            callback.filename = _beside(callback.filename, own)
        case keras.callbacks.BackupAndRestore():
            _move(callback, str(callback.backup_dir), str(Path(callback.backup_dir) / own))


def _beside(path: str, own: Path) -> str:
    folder = Path(path).parent / own
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder / Path(path).name)


def _move(callback: Any, old: str, new: str) -> None:
    """Moves every path that Keras derived from the folder when the callback was made."""
    for name, value in vars(callback).items():
        if isinstance(value, str) and value.startswith(old):
            setattr(callback, name, new + value.removeprefix(old))
