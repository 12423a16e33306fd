"""`open_study`: a study's results from its folder, without Keras; finds the studies in a folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import final

from kerashpo.core.errors import StudyNotFound, nearest
from kerashpo.core.history import History
from kerashpo.store.open import LOG_NAME, folder_of, has_log, read_events
from kerashpo.study.results import Results

DEPTH = 6
"""Levels of folders below the given one; a comparison's studies are five levels below its own."""
_MANY = 10
"""The most folders that an error names."""


@final
class Study:
    """A study read from its folder.

    Attributes:
        folder: the study's folder.
        history: the fold of its log.
        results: best, trials, curves, plots.
    """

    def __init__(self, folder: Path, history: History, lang: str | None = None) -> None:
        self.folder = folder
        self.history = history
        self.results = Results(history, folder=str(folder), lang=lang)

    def report(self, path: str | Path | None = None, lang: str | None = None) -> Path:
        """Writes the report, see `Results.report`; ``report.html`` in the folder by default."""
        return self.results.report(path or self.folder / "report.html", lang)

    def __repr__(self) -> str:
        return f"<Study {str(self.folder)!r}: {self.results!r}>"


def open_study(path: str | Path, lang: str | None = None) -> Study:
    """Returns the study in a folder for reading, also while it is being searched.

    Args:
        path: the study's folder, ``directory/project_name`` of a tuner.
        lang: language of results, figures and report, ``"en"`` or ``"es"``; None for the
            environment variable ``KERASHPO_LANG``, else English.

    Raises:
        StudyNotFound: if there is no study; the message names those nearby.
        InvalidInput: if the path is a URL that does not name a folder.
        StudyCorrupt: if its log cannot be read.
    """
    folder = folder_of(path)
    if not has_log(folder):
        hint = near_studies(folder)
        raise StudyNotFound(f"There is no study in {str(folder)!r} (no {LOG_NAME}).{hint}")
    history = History(read_events(folder))
    if not history.objectives:
        raise StudyNotFound(f"The study in {str(folder)!r} has not started: its log is empty.")
    return Study(folder, history, lang)


def studies_below(folder: str | Path, depth: int = DEPTH) -> list[Path]:
    """Returns the folders in and below a folder that hold a study, sorted.

    Hidden folders and the folders of studies are not searched.

    Args:
        folder: where to look.
        depth: levels of folders below it.
    """
    found: list[Path] = []
    root = folder_of(folder)
    for place, below, files in os.walk(root):
        if LOG_NAME in files:
            found.append(Path(place))
            below.clear()
        elif len(Path(place).relative_to(root).parts) >= depth:
            below.clear()
        else:
            below[:] = [name for name in below if not name.startswith(".")]
    return sorted(found)


def near_studies(folder: Path) -> str:
    """Returns a sentence that names studies near a folder without one, empty if there are none."""
    if below := studies_below(folder, 2):
        return f" Studies below it: {_listed(below)}."
    beside = studies_below(folder.parent, 1) if folder.parent.is_dir() else []
    if not beside:
        return ""
    hint = nearest(str(folder), [str(path) for path in beside])
    return hint or f" Studies beside it: {_listed(beside)}."


def _listed(folders: Sequence[Path]) -> str:
    more = f" and {len(folders) - _MANY} more" if len(folders) > _MANY else ""
    return ", ".join(map(str, folders[:_MANY])) + more
