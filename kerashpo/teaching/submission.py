"""A hand-in: one JSON file with the journals of a student's studies and the answers."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Event
from kerashpo.core.history import History
from kerashpo.store.journal import lines_of, read_lines
from kerashpo.study.results import Results

FORMAT = "kerashpo submission 2"


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
    """Writes a hand-in as JSON, atomically.

    Each study is handed in as its journal, the lines of its log: every epoch of every trial.

    Args:
        path: the file.
        exercise: the name of the exercise, as in `exercises.EXERCISES`.
        author: the student's name.
        parameters: the values of the notebook's first cell.
        studies: the results of each search, by the names that the exercise gives them.
        answers: by name; None for what is not answered.
        test: the test scores of each study's winner.

    Raises:
        InvalidInput: if something cannot be written as JSON, e.g. an answer that is an array.
    """
    body = {
        "format": FORMAT,
        "exercise": exercise,
        "author": author,
        "written": time.time(),
        "parameters": dict(parameters),
        "test": {name: dict(scores) for name, scores in (test or {}).items()},
        "answers": dict(answers),
        "studies": {name: lines_of(results.events()) for name, results in studies.items()},
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


def _plain(value: Any) -> Any:
    """Returns numpy numbers and mappings as JSON has them."""
    if hasattr(value, "item"):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"Received: {type(value).__name__}")


_PARTS = {"exercise": str, "author": str, "parameters": dict, "studies": dict, "answers": dict}
_OPTIONAL = {"test": dict}


class Unreadable(Exception):
    """Raised for a file that is no hand-in.

    Attributes:
        key: the sentence that says why, in section ``submission`` of the languages.
        values: the values of its placeholders.
    """

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key, values)
        self.key, self.values = key, values


@dataclass(frozen=True, slots=True)
class Submission:
    """A hand-in.

    Attributes:
        exercise: the name of the exercise.
        author: the student's name.
        parameters: the values of the notebook's first cell.
        studies: the results of each search.
        test: the test scores of each study's winner.
        answers: by name; None for what is not answered.
    """

    exercise: str
    author: str
    parameters: Mapping[str, Any]
    studies: Mapping[str, Results]
    test: Mapping[str, Mapping[str, float]]
    answers: Mapping[str, Any]


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
    for part, kind in _OPTIONAL.items():
        if not isinstance(body.get(part) or {}, kind):
            raise Unreadable("part", part=part)
    studies = {name: _results(name, lines) for name, lines in body["studies"].items()}
    return Submission(
        body["exercise"],
        body["author"],
        body["parameters"],
        studies,
        body.get("test") or {},
        body["answers"],
    )


def read_author(path: str | Path) -> str:
    """Returns the author of a hand-in, also of one that `read_submission` refuses; else ''."""
    try:
        author = _json(Path(path)).get("author")
    except Unreadable:
        return ""
    return author if isinstance(author, str) else ""


def _json(path: Path) -> dict[str, Any]:
    """Returns the JSON object in a file, whatever its encoding and with or without a mark."""
    try:
        data = path.read_bytes()
        body = json.loads(data)
    except FileNotFoundError:
        raise Unreadable("absent", path=str(path)) from None
    except OSError as error:
        if path.is_dir():
            raise Unreadable("folder", path=str(path)) from None
        raise Unreadable("not_opened", path=str(path), error=error.strerror) from None
    except json.JSONDecodeError as error:
        if not data.strip():
            raise Unreadable("empty", path=str(path)) from None
        place = {"line": error.lineno, "column": error.colno}
        raise Unreadable("no_json", path=str(path), **place) from None
    except (ValueError, RecursionError):
        raise Unreadable("no_text", path=str(path)) from None
    if isinstance(body, dict) and "cells" in body and "nbformat" in body:
        raise Unreadable("notebook", path=str(path))
    if not isinstance(body, dict) or "format" not in body:
        raise Unreadable("no_format", path=str(path))
    return body


def _results(name: str, lines: Any) -> Results:
    """Returns a study's results by replaying its journal."""
    try:
        events = tuple(read_lines(lines))
        return Results(History(events), log=_reader(events))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        what = f"{type(error).__name__}: {error}"
        raise Unreadable("study_broken", study=name, error=what) from None


def _reader(events: tuple[Event, ...]) -> Callable[[], tuple[Event, ...]]:
    return lambda: events
