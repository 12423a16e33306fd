"""`CSVLog`: a logger that appends every epoch of every trial to a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any, final

from kerashpo.analysis.tables import CURVE_COLUMNS, curve_rows
from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Event, Reported, SessionStarted
from kerashpo.core.history import History
from kerashpo.core.listener import Listener


@final
class CSVLog(Listener):
    """Logger that writes the columns of `results.curves()`, a row per metric and epoch.

    When a search begins or resumes, the file is rewritten with the epochs that the study already
    has, so that it is always complete; then each reported epoch is appended.

    Args:
        path: the file; its folder is created.

    Raises:
        InvalidInput: if the path is a folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.is_dir():
            raise InvalidInput(
                f"CSVLog expects the path of a file, but {str(path)!r} is a folder. "
                f"Pass e.g. {str(self.path / 'epochs.csv')!r}."
            )

    def on_event(self, event: Event, snapshot: History) -> None:
        match event:
            case SessionStarted():
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._write("w", [(*CURVE_COLUMNS, "run"), *curve_rows(snapshot)])
            case Reported(report, at=at):
                place = report.trial, report.epoch
                times = (report.seconds, at, report.run)
                self._write("a", [(*place, *pair, *times) for pair in report.metrics.items()])

    def _write(self, mode: str, rows: Iterable[tuple[Any, ...]]) -> None:
        with open(self.path, mode, newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
