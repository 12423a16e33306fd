"""Reads what was handed in."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from kerashpo.study.results import Results
from kerashpo.testing.submission.writing import FORMAT

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
        0.0,
        record["space"],
        objectives,
        int(record["seed"]),
        record["settings"],
        record["environment"],
    )
    for at, wall in record["sessions"]:
        yield SessionStarted(float(at), float(wall))
    for trial in record["trials"]:
        yield from _trial(trial)
    yield SessionEnded(float(record["seconds"]), str(record["stopped"]), True)


def _trial(body: Mapping[str, Any]) -> Iterator[Event]:
    number, started = int(body["number"]), float(body["started"])
    last = max((int(epoch[1]) for epoch in body["epochs"]), default=0)
    yield JobStarted(started, Start(number, dict(body["config"]), last))
    at = started
    for run, epoch, told, seconds, metrics in body["epochs"]:
        at = float(told)
        values = {name: math.nan if v is None else float(v) for name, v in metrics.items()}
        yield Reported(at, Report(number, int(run), int(epoch), values, float(seconds)))
    status = Status(body["status"])
    if status.ended:
        failed = Failure("fit", str(body["reason"])) if status is Status.FAILED else None
        yield Ended(at, number, status, str(body["reason"]), failed)
