"""One writer at a time."""

from __future__ import annotations

import contextlib
import os
import platform
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
        self._owner = log.with_name(f"{log.name}.owner")
        self._db = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
        try:
            self._db.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            self._db.close()
            if "locked" not in str(error):
                raise
            raise StudyBusy(
                f"The study in {str(path.parent)!r} is being searched by {self._whose()}. Wait "
                "until that ends, or choose another project_name or directory. Results can be "
                "read meanwhile: open_study."
            ) from None
        # For the message alone: the lock is what counts, and it ends with the process.
        with contextlib.suppress(OSError):
            self._owner.write_text(f"{os.getpid()} {platform.node()}\n")

    def release(self) -> None:
        """Lets go of it."""
        with contextlib.suppress(OSError):
            self._owner.unlink()
        self._db.close()

    def _whose(self) -> str:
        try:
            number, _, machine = self._owner.read_text().strip().partition(" ")
        except (OSError, UnicodeDecodeError):
            return "another process"
        if number == str(os.getpid()) and machine == platform.node():
            return "another tuner of this process"
        return f"another process ({number} on {machine})" if number else "another process"
