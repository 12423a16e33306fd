"""Writes what is handed in."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerashpo.core.errors import InvalidInput
from kerashpo.core.trial import Trial
from kerashpo.study.results import Results

FORMAT = "kerashpo submission 1"


def write_submission(
    path: str | Path,
    *,
    exercise: str,
    author: str,
    parameters: Mapping[str, Any],
    studies: Mapping[str, Results],
    answers: Mapping[str, Any],
    test: Mapping[str, Mapping[str, float]] | None = None,
) -> None:
    """Writes a hand-in as JSON, whole or not at all.

    Args:
        path: the file.
        exercise: which notebook, a name of `exercises.EXERCISES`.
        author: who hands in.
        parameters: what the notebook's first cell holds.
        studies: the results of each search, by the names that the exercise gives them.
        answers: by name; None for what is not answered.
        test: for a study's winner its scores on the test set.

    Raises:
        InvalidInput: if something cannot be written as JSON, e.g. an answer that is an array.
    """
    body = {
        "format": FORMAT,
        "exercise": exercise,
        "author": author,
        "written": time.time(),
        "parameters": dict(parameters),
        "studies": {name: record(results) for name, results in studies.items()},
        "test": {name: dict(scores) for name, scores in (test or {}).items()},
        "answers": dict(answers),
    }
    try:
        text = json.dumps(body, indent=1, default=_plain)
    except TypeError as error:
        raise InvalidInput(
            "Answers and parameters must be numbers, texts, lists or None, so that they can be "
            f"written as JSON. {error}."
        ) from error
    target = Path(path)
    temporary = target.with_name(target.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, target)


def record(results: Results) -> dict[str, Any]:
    """Returns a study as plain data: what was asked for, and every epoch of every trial."""
    history = results.history
    return {
        "objectives": [[o.name, o.direction] for o in history.objectives],
        "seed": history.seed,
        "space": history.space,
        "grown": history.space != history.first_space,
        "settings": history.settings,
        "environment": history.environment,
        "sessions": history.sessions,
        "seconds": history.now,
        "stopped": history.stopped,
        "trials": [_trial(trial) for trial in history.trials.values()],
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "config": dict(trial.config),
        "status": trial.status.value,
        "reason": trial.reason,
        "started": trial.started,
        "epochs": [
            [run, epoch, trial.times[run, epoch], report.seconds, _finite(report.metrics)]
            for run, reports in trial.reports.items()
            for epoch, report in sorted(reports.items())
        ],
    }


def _finite(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """JSON knows neither NaN nor infinities."""
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"Received: {type(value).__name__}")
