"""One writer at a time."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import final

from kerashpo.core.errors import StudyBusy


@final
class Lock:
    """Holds a file that only one living process can hold.

    It is SQLite's own lock, on a second, empty database: it works on every system, and
    the system lets go of it when the process dies, however it dies.

    Args:
        log: the study's log; the lock lies beside it.

    Raises:
        StudyBusy: if another one holds it.
        sqlite3.DatabaseError: if the file cannot be made.
    """

    def __init__(self, log: Path) -> None:
        path = log.with_name(f"{log.name}.lock")
        self._db = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
        try:
            self._db.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            self._db.close()
            if "locked" not in str(error):
                raise
            raise StudyBusy(
                f"The study in {str(path.parent)!r} is being searched by another process (or by "
                "another tuner of this one). Wait until that ends, or choose another "
                "project_name or directory. Results can be read meanwhile: open_study."
            ) from None

    def release(self) -> None:
        """Lets go of it."""
        self._db.close()
