"""Reads and deletes a project folder of KerasTuner."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kerashpo.core.errors import InvalidInput
from kerashpo.store.open import has_log
from kerashpo.study.open import remove

_ORACLE = "oracle.json"
_TUNERS = ("tuner*.json", "chief*.json")
_OF_TRIALS = ("trial.json", "build_config.json", "checkpoint*")
"""Files that KerasTuner writes into the folder of a trial."""


def is_project(folder: Path) -> bool:
    """Whether a folder is a project of KerasTuner."""
    return (folder / _ORACLE).is_file()


def warn_of_project(folder: Path) -> None:
    """Warns if a new study is about to start in a project folder of KerasTuner."""
    if not is_project(folder) or has_log(folder):
        return
    count = len(list(_trial_folders(folder)))
    warnings.warn(
        f"{str(folder)!r} holds a project of KerasTuner's with {count} trials. kerashpo cannot "
        "continue it: this search starts beside it and does not change its files. Pass "
        "overwrite=True to delete them, or warm_start=<that folder> to BayesianOptimization to "
        "learn from its finished trials.",
        stacklevel=4,
    )


def overwrite(folder: Path) -> None:
    """Deletes a study's folder; of a project of KerasTuner only the files that KerasTuner wrote.

    Raises:
        InvalidInput: if it contains neither.
        StudyBusy: if another process is searching there.
    """
    if not is_project(folder) or has_log(folder) or folder.is_symlink():
        remove(folder)
        return
    for trial in _trial_folders(folder):
        for pattern in _OF_TRIALS:
            for path in trial.glob(pattern):
                _delete(path)
        _delete_if_empty(trial)
    for pattern in (*_TUNERS, _ORACLE):
        for path in folder.glob(pattern):
            _delete(path)
    _delete_if_empty(folder)


def read_trials(folder: Path) -> list[tuple[dict[str, Any], float]]:
    """Returns the values and the score of each finished trial of a KerasTuner project.

    Raises:
        InvalidInput: for a file that cannot be read.
    """
    found = []
    for trial in _trial_folders(folder):
        path = trial / "trial.json"
        try:
            state = json.loads(path.read_text())
            values = dict(state["hyperparameters"]["values"])
            score, status = state["score"], state["status"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidInput(
                f"{str(path)!r} cannot be read as a trial of KerasTuner's: {error!r}."
            ) from error
        if status == "COMPLETED" and score is not None:
            own = {name: v for name, v in values.items() if not name.startswith("tuner/")}
            found.append((own, float(score)))
    return found


def _trial_folders(folder: Path) -> Iterator[Path]:
    return (path.parent for path in sorted(folder.glob("trial_*/trial.json")))


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _delete_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()
