"""Writes what is handed in."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import (
    Ended,
    Event,
    JobStarted,
    Reported,
    SessionEnded,
    SessionStarted,
    StudyCreated,
)
from kerashpo.core.history import History
from kerashpo.core.records import Failure, Report, Start, Status
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


_PARTS = {"exercise": str, "author": str, "parameters": dict, "studies": dict, "answers": dict}


class Unreadable(Exception):
    """A file that is no hand-in.

    Attributes:
        key: the sentence that says why, in section ``submission`` of the languages.
        values: what fills its placeholders.
    """

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key, values)
        self.key, self.values = key, values


@dataclass(frozen=True, slots=True)
class Submission:
    """A hand-in.

    Attributes:
        exercise: which notebook.
        author: who hands in.
        parameters: what the notebook's first cell held.
        studies: the results of each search.
        test: for a study's winner its scores on the test set.
        answers: by name; None for what is not answered.
        grown: the studies whose space grew while they ran.
    """

    exercise: str
    author: str
    parameters: Mapping[str, Any]
    studies: Mapping[str, Results]
    test: Mapping[str, Mapping[str, float]]
    answers: Mapping[str, Any]
    grown: frozenset[str]


def read_submission(path: str | Path) -> Submission:
    """Returns the hand-in in a file.

    Raises:
        Unreadable: if there is none, or a part of it is missing.
    """
    body = _json(Path(path))
    if body.get("format") != FORMAT:
        raise Unreadable("format", expected=FORMAT, found=body.get("format"))
    for part, kind in _PARTS.items():
        if not isinstance(body.get(part), kind):
            raise Unreadable("part", part=part)
    studies = {name: _results(name, record) for name, record in body["studies"].items()}
    return Submission(
        body["exercise"],
        body["author"],
        body["parameters"],
        studies,
        body.get("test") or {},
        body["answers"],
        frozenset(name for name, record in body["studies"].items() if record.get("grown")),
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Unreadable("absent", path=str(path)) from None
    except (ValueError, OSError) as error:
        raise Unreadable("no_json", path=str(path), error=error) from None
    if not isinstance(body, dict):
        raise Unreadable("format", expected=FORMAT, found=type(body).__name__)
    return body


def _results(name: str, record: Any) -> Results:
    """Returns a study's results by telling its events again."""
    try:
        return Results(History(_events(record)))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        what = f"{type(error).__name__}: {error}"
        raise Unreadable("study_broken", study=name, error=what) from None


def _events(record: Mapping[str, Any]) -> Iterator[Event]:
    objectives = tuple((str(name), str(way)) for name, way in record["objectives"])
    yield StudyCreated(
        record["space"],
        objectives,
        int(record["seed"]),
        record["settings"],
        record["environment"],
    )
    for at, wall in record["sessions"]:
        yield SessionStarted(float(wall), at=float(at))
    for trial in record["trials"]:
        yield from _read_trial(trial)
    yield SessionEnded(str(record["stopped"]), True, at=float(record["seconds"]))


def _read_trial(body: Mapping[str, Any]) -> Iterator[Event]:
    number, started = int(body["number"]), float(body["started"])
    last = max((int(epoch[1]) for epoch in body["epochs"]), default=0)
    yield JobStarted(Start(number, dict(body["config"]), last), at=started)
    at = started
    for run, epoch, told, seconds, metrics in body["epochs"]:
        at = float(told)
        values = {name: math.nan if v is None else float(v) for name, v in metrics.items()}
        yield Reported(Report(number, int(run), int(epoch), values, float(seconds)), at=at)
    status = Status(body["status"])
    if status.ended:
        failed = Failure("fit", str(body["reason"])) if status is Status.FAILED else None
        yield Ended(number, status, str(body["reason"]), failed, at=at)
