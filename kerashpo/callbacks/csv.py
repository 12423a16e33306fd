"""`CSVLog`: every epoch of every trial as a CSV file, while it is trained."""

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
    """Writes the columns of `results.curves()`, a row for each metric of each epoch.

    The file is rewritten when a search begins, with the epochs that the study holds already, so
    that it is always complete; then each epoch is appended as it is reported.

    Args:
        path: the file; its folder is made.

    Raises:
        InvalidInput: if the path is a folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.is_dir():
            raise InvalidInput(
                f"CSVLog needs the name of a file, and {str(path)!r} is a folder. "
                f"Give e.g. {str(self.path / 'epochs.csv')!r}."
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
