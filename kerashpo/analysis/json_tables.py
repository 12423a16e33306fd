"""`study_json`: a study's results as JSON values, for other programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from kerashpo.core.history import History
from kerashpo.core.trial import Trial
from kerashpo.space.choice_labels import plain_value
from kerashpo.space.space import Space


def study_json(history: History, space: Space) -> dict[str, Any]:
    """Returns a study's results as values that `json.dumps` takes under ``allow_nan=False``.

    Numbers that JSON does not have (NaN, infinity) are None. Choices that are not numbers, texts
    or booleans are what they print as.

    Args:
        history: the study.
        space: its space, which knows the values of its choices.
    """
    best = history.best
    return {
        "objectives": [{"name": o.name, "direction": o.direction} for o in history.objectives],
        "seed": history.seed,
        "stopped": history.stopped,
        "epochs": history.epochs,
        "seconds": history.now,
        "best": None if best is None else best.number,
        "settings": _plain(dict(history.settings)),
        "environment": _plain(dict(history.environment)),
        "space": _plain(dict(history.space)),
        "trials": [_trial(trial, space) for trial in history.trials.values()],
    }


def _trial(trial: Trial, space: Space) -> dict[str, Any]:
    curves = [
        {
            "run": run,
            "epoch": epoch,
            "metrics": {name: _number(value) for name, value in report.metrics.items()},
            "seconds": _number(report.seconds),
        }
        for run, reports in sorted(trial.reports.items())
        for epoch, report in sorted(reports.items())
    ]
    return {
        "trial": trial.number,
        "status": trial.status.value.lower(),
        "reason": trial.reason,
        "score": _number(trial.score),
        "epochs": trial.epochs,
        "config": _plain(space.realise(trial.config)),
        "parent": trial.parent,
        "failure": None if trial.failure is None else trial.failure.message,
        "curves": curves,
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _plain(value: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(value, default=plain_value), parse_constant=lambda text: None)
