"""A table of studies: what ``kerashpo list`` prints, a line for each study of a folder."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from kerashpo.core.errors import KerashpoError
from kerashpo.core.history import History
from kerashpo.display.progress import folder_bytes
from kerashpo.i18n.numbers import duration, file_size, shown
from kerashpo.i18n.texts import Texts
from kerashpo.store.lock import is_searched
from kerashpo.store.open import folder_of, log_path
from kerashpo.study.results import Results
from kerashpo.study.study import open_study

COLUMNS = ("study", "objective", "best", "trials", "state", "size", "age")
_RIGHT = frozenset({"best", "trials", "size", "age"})


def state_of(results: Results) -> str:
    """Returns why a search ended, or that a process carries it out, or that it has not ended."""
    texts = results.texts
    if results.stopped is not None:
        return texts.reason(results.stopped)
    return texts("status.running" if is_running(results) else "status.unfinished")


def is_running(results: Results) -> bool:
    """Whether a process is searching a study that has not ended, as far as its lock tells."""
    folder = results.folder
    return (
        results.stopped is None and folder is not None and is_searched(log_path(folder_of(folder)))
    )


def studies_table(folders: Iterable[Path], lang: str | None = None) -> list[str]:
    """Returns a table's lines: a heading, then a line for each study.

    A study that cannot be read has the error in place of its columns. `age` is the time since the
    last line of the log was written.

    Args:
        folders: the studies' folders.
        lang: language, ``"en"`` or ``"es"``; None for ``KERASHPO_LANG``, else English.

    Raises:
        InvalidInput: for an unknown language.
    """
    texts = Texts.of(lang)
    rows: list[tuple[str, ...]] = [tuple(texts(f"listing.{name}") for name in COLUMNS)]
    for folder in folders:
        try:
            rows.append(_row(folder, open_study(folder, lang).results))
        except KerashpoError as error:
            rows.append((str(folder), texts.note(str(error))))
    whole = [row for row in rows if len(row) == len(COLUMNS)]
    names = max(len(row[0]) for row in rows)
    widths = [names, *(max(map(len, column)) for column in list(zip(*whole))[1:])]
    return [_line(row, widths) for row in rows]


def _row(folder: Path, results: Results) -> tuple[str, ...]:
    history, texts = results.history, results.texts
    best = history.best
    return (
        str(folder),
        ", ".join(f"{one.name} {one.direction}" for one in history.objectives),
        shown(None if best is None else best.score, texts),
        _trials(history),
        # The sentence of `state_of` would be wider than the rest of the table.
        texts("listing.interrupted") if results.stopped == "interrupted" else state_of(results),
        file_size(folder_bytes(str(folder)) or 0, texts),
        texts("listing.ago", duration=duration(_unchanged(folder), texts)),
    )


def _trials(history: History) -> str:
    """Returns how many trials were started, of how many planned, if that is known."""
    planned = None if history.plan is None else history.plan.trials
    return str(len(history.trials)) + ("" if planned is None else f"/{planned}")


def _unchanged(folder: Path) -> float:
    """Returns the seconds since the study's log was last written to."""
    return max(0.0, time.time() - log_path(folder).stat().st_mtime)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (
        text.rjust(width) if len(row) == len(COLUMNS) and name in _RIGHT else text.ljust(width)
        for name, text, width in zip(COLUMNS, row, widths)
    )
    return "  ".join(cells).rstrip()
