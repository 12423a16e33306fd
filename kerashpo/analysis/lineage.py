"""Lineages of population-based training: parents of copied trials, and the schedule found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

from kerashpo.core.errors import InvalidInput, NoResult
from kerashpo.core.history import History
from kerashpo.core.records import Config
from kerashpo.core.trial import Trial
from kerashpo.space.space import Space

LINEAGE_COLUMNS = (
    "trial", "parent", "forked_at", "last_epoch", "status", "score", "best_epoch", "in_best",
)  # fmt: skip
SCHEDULE_COLUMNS = ("epoch", "trial", "parameter", "value")


@final
@dataclass(frozen=True, slots=True)
class Stage:
    """The part of a line that one trial trained.

    Attributes:
        trial: its number.
        first, last: its epochs.
        config: its values.
    """

    trial: int
    first: int
    last: int
    config: Config


def line_of(history: History, trial: int | None = None) -> list[Stage]:
    """Returns the stages of a trial's line, from its first ancestor to its own best epoch.

    Args:
        history: the study.
        trial: the last trial of the line; None for the best trial.

    Raises:
        NoResult: while no trial has a finite score.
        InvalidInput: for a trial that does not exist.
    """
    record = history.best if trial is None else history.trials.get(trial)
    if record is None and trial is not None:
        raise InvalidInput(f"There is no trial {trial}: there are {len(history.trials)}.")
    if record is None:
        raise NoResult("No trial has a finite score yet, so there is no schedule.")
    last = record.best_epoch or record.epoch
    stages: list[Stage] = []
    while record is not None:
        stages.append(Stage(record.number, record.forked_at + 1, last, record.config))
        last = record.forked_at
        record = None if record.parent is None else history.trials[record.parent]
    return stages[::-1]


def changing(stages: list[Stage]) -> list[str]:
    """Returns the parameters whose values differ along a line."""
    names = dict.fromkeys(name for stage in stages for name in stage.config)
    return [n for n in names if len({repr(stage.config.get(n)) for stage in stages}) > 1]


def schedule_rows(
    history: History, space: Space, trial: int | None = None
) -> Iterator[tuple[int, int, str, Any]]:
    """Yields (epoch, trial, parameter, value) along a trial's line, see `line_of`."""
    for stage in line_of(history, trial):
        values = space.realise(stage.config)
        for epoch in range(stage.first, stage.last + 1):
            for name, value in values.items():
                yield epoch, stage.trial, name, value


def lineage_rows(history: History) -> list[dict[str, Any]]:
    """Returns a row for each trial, in `LINEAGE_COLUMNS`."""
    line = {stage.trial for stage in line_of(history)} if history.best is not None else set()
    return [_lineage_row(trial, trial.number in line) for trial in history.trials.values()]


def _lineage_row(trial: Trial, in_best: bool) -> dict[str, Any]:
    return {
        "trial": trial.number,
        "parent": trial.parent,
        "forked_at": trial.forked_at,
        "last_epoch": trial.epoch,
        "status": trial.status.value,
        "score": trial.score,
        "best_epoch": trial.best_epoch,
        "in_best": in_best,
    }
