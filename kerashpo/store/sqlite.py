"""The log in a SQLite file.

WAL with synchronous=NORMAL: a commit survives a killed process (a power cut may lose
the last ones, never the order). Not for network disks, where WAL is unsafe.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import final

from kerashpo.core.errors import InvalidInput, KerashpoError, StudyCorrupt
from kerashpo.core.events import Event, decode, encode, trial_of
from kerashpo.store.base import Store
from kerashpo.store.lock import Lock

VERSION = 1
_SCHEMA = """
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    trial INTEGER,
    body TEXT NOT NULL
);
"""


@final
class SQLiteStore(Store):
    """Events in the table ``events`` of one file.

    Args:
        path: the file; its folder is made where it is missing.
        readonly: open an existing file for reading only.

    Raises:
        StudyBusy: if another one writes to it.
        InvalidInput: if the folder cannot be written.
        StudyCorrupt: if the file is no study, or of a later version.
    """

    def __init__(self, path: str | Path, readonly: bool = False) -> None:
        self.path = Path(path)
        self._held = ExitStack()
        try:
            self._db = self._open(readonly)
            self._held.callback(self._db.close)
            self._prepare(readonly)
        except sqlite3.DatabaseError as error:
            self._held.close()
            raise _explain(error, self.path) from error
        except KerashpoError:
            self._held.close()
            raise

    def append(self, event: Event) -> None:
        kind, body = encode(event)
        row = (kind, trial_of(event), body)
        try:
            self._db.execute("INSERT INTO events (kind, trial, body) VALUES (?, ?, ?)", row)
        except sqlite3.OperationalError as error:
            raise _unwritable(self.path, error) from error

    def read(self, after: int = 0) -> Iterator[Event]:
        query = "SELECT kind, body FROM events WHERE id > ? ORDER BY id"
        try:
            if self._version() == 0:
                return  # Another process is about to write the schema.
            for kind, body in self._db.execute(query, (after,)):
                yield decode(kind, body)
        except (sqlite3.DatabaseError, ValueError) as error:
            raise StudyCorrupt(
                f"The study's log {self.path} cannot be read to its end: {error}."
            ) from error

    def close(self) -> None:
        self._held.close()

    def _open(self, readonly: bool) -> sqlite3.Connection:
        if readonly:
            uri = f"{self.path.resolve().as_uri()}?mode=ro"
            return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(self.path.parent, error) from error
        lock = Lock(self.path)
        self._held.callback(lock.release)
        # Autocommit: each append is a transaction of its own.
        return sqlite3.connect(self.path, isolation_level=None, timeout=10, check_same_thread=False)

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def _prepare(self, readonly: bool) -> None:
        version = self._version()
        if version > VERSION:
            raise StudyCorrupt(
                f"{self.path} was written by a newer kerashpo (format {version}, this one "
                f"knows {VERSION}). Upgrade kerashpo to open it."
            )
        if readonly:
            return
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        if version == 0:
            self._db.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version={VERSION}; COMMIT;"
            )


def _explain(error: sqlite3.DatabaseError, path: Path) -> Exception:
    if isinstance(error, sqlite3.OperationalError):
        return _unwritable(path, error)
    return StudyCorrupt(f"{path} is not a study's log, or it is damaged: {error}.")


def _unwritable(path: Path, error: Exception) -> InvalidInput:
    return InvalidInput(
        f"Cannot write to {str(path)!r}: {error}. Choose a folder that you may write to "
        "(directory=... of a tuner, --out of the comparison), or free some space."
    )
