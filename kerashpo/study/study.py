"""`open_study`: a study's results, plots and tables from its folder, without Keras."""

from __future__ import annotations

from pathlib import Path
from typing import final

from kerashpo.core.errors import StudyNotFound
from kerashpo.core.history import History
from kerashpo.store.open import LOG_NAME, folder_of, has_log, read_events
from kerashpo.study.find import near_studies
from kerashpo.study.results import Results


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
