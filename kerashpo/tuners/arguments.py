"""Checks and reads the arguments that tuners share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kerashpo.core.errors import InvalidInput, require_integer, require_number
from kerashpo.core.records import Budget
from kerashpo.study.loop import Limits

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


@dataclass(frozen=True, slots=True)
class Options:
    """What every tuner takes besides its algorithm's and scheduler's arguments.

    The names and meanings are KerasTuner's where it has them; `Tuner` documents them.
    """

    objective: Any = None
    max_trials: int | None = None
    seed: int | None = None
    hyperparameters: Any = None
    tune_new_entries: bool = True
    allow_new_entries: bool = True
    max_retries_per_trial: int = 0
    max_consecutive_failed_trials: int | None = 3
    executions_per_trial: int = 1
    optimizer: Any = None
    loss: Any = None
    metrics: Any = None
    max_model_size: int | None = None
    distribution_strategy: Any = None
    directory: str | Path | None = None
    project_name: str | None = None
    overwrite: bool = False
    workers: int = 1
    fast: bool | Literal["auto"] = "auto"
    keep_in_memory: int | str = "1GB"
    checkpoint_every: float = 1.0
    max_epochs_total: int | None = None
    max_minutes: float | None = None

    def check(self) -> None:
        """Raises InvalidInput for an argument that cannot be meant."""
        require_integer("executions_per_trial", self.executions_per_trial, 1)
        require_integer("max_retries_per_trial", self.max_retries_per_trial, 0)
        require_number("checkpoint_every", self.checkpoint_every, 0.0)
        for name in ("max_trials", "max_epochs_total", "max_consecutive_failed_trials"):
            if getattr(self, name) is not None:
                require_integer(name, getattr(self, name), 1)
        if self.max_minutes is not None:
            require_number("max_minutes", self.max_minutes, 0.0, strict=True)
        if self.max_model_size is not None:
            require_integer("max_model_size", self.max_model_size, 1)
        whole = hasattr(self.seed, "__index__") and not isinstance(self.seed, bool)
        if self.seed is not None and not whole:
            raise InvalidInput(f"seed must be a whole number or None. Received: {self.seed!r}.")
        if self.workers != 1:
            raise InvalidInput(
                "This version searches in one process: workers must be 1. "
                f"Received: {self.workers!r}."
            )
        if self.fast not in ("auto", True, False):
            raise InvalidInput(f'fast must be "auto", True or False. Received: {self.fast!r}.')
        read_bytes(self.keep_in_memory)

    @property
    def limits(self) -> Limits:
        """When the search gives up."""
        budget = Budget(self.max_trials, self.max_epochs_total, self.max_minutes)
        return Limits(budget, self.max_retries_per_trial, self.max_consecutive_failed_trials)

    @property
    def folder(self) -> Path:
        """The study's folder: ``directory/project_name``."""
        name = self.project_name or "untitled_project"
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise InvalidInput(f"project_name must be a name within directory. Received: {name!r}.")
        return Path(self.directory or ".") / name


def read_bytes(given: int | str) -> int:
    """Returns a size such as ``"500MB"`` in bytes.

    Raises:
        InvalidInput: if it is neither a whole number of bytes nor a number with a unit.
    """
    if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
        return given
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?B?)\s*", str(given).upper())
    if match is None or match[2] not in _UNITS:
        raise InvalidInput(
            f'keep_in_memory must be bytes or a size such as "500MB" or "1GB". Received: {given!r}.'
        )
    return int(float(match[1]) * _UNITS[match[2]])
