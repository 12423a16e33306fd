"""The rows behind the tables of results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kerashpo.core.history import History
from kerashpo.core.trial import Trial
from kerashpo.space.space import Space

TRIAL_COLUMNS = (
    "trial", "status", "score", "spread", "feasible", "best_epoch", "epochs", "seconds", "error",
)  # fmt: skip
FAILURE_COLUMNS = (
    "trial", "kind", "message", "epochs", "retries", "config", "traceback", "output",
)  # fmt: skip
CURVE_COLUMNS = ("trial", "epoch", "metric", "value", "seconds", "elapsed")


def objective_columns(history: History) -> dict[str, str]:
    """Returns the names of the columns of several objectives, and of the parts of a weighted sum.

    That of the objective, or ``objective_<name>`` where the table has a column of that name.
    """
    parts = history.objectives if history.several else history.objectives[1:]
    taken = TRIAL_COLUMNS
    return {one.name: f"objective_{one.name}" if one.name in taken else one.name for one in parts}


def trial_rows(history: History, space: Space) -> list[dict[str, Any]]:
    """Returns a row for each trial; ``param_<name>`` is absent where it was inactive."""
    columns = objective_columns(history)
    return [_trial_row(trial, space, columns) for trial in history.trials.values()]


def _trial_row(trial: Trial, space: Space, columns: dict[str, str]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "trial": trial.number,
        "status": trial.status.value,
        "score": trial.score,
        "spread": trial.spread,
        "feasible": trial.feasible,
        "best_epoch": trial.best_epoch,
        "epochs": trial.epochs,
        "seconds": trial.seconds,
        "error": None if trial.failure is None else trial.failure.message,
    }
    row |= {columns[name]: value for name, value in trial.values.items() if name in columns}
    values = space.realise(trial.config)
    return row | {f"param_{name}": value for name, value in values.items()}


def curve_rows(history: History) -> Iterator[tuple[int, int, str, float, float, float, int]]:
    """Yields (trial, epoch, metric, value, seconds, elapsed, run) for each metric and epoch."""
    for trial in history.trials.values():
        for run, reports in trial.reports.items():
            for epoch in sorted(reports):
                report, at = reports[epoch], trial.times[run, epoch]
                for metric, value in report.metrics.items():
                    yield trial.number, epoch, metric, value, report.seconds, at, run


def failure_rows(history: History, space: Space) -> list[dict[str, Any]]:
    """Returns a row for each failed trial, in `FAILURE_COLUMNS`."""
    return [
        {
            "trial": trial.number,
            "kind": trial.failure.kind,
            "message": trial.failure.message,
            "epochs": trial.epochs,
            "retries": int(trial.facts.get("retries") or 0),
            "config": space.realise(trial.config),
            "traceback": trial.failure.traceback,
            "output": trial.failure.output,
        }
        for trial in history.trials.values()
        if trial.failure is not None
    ]
