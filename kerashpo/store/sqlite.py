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
from kerashpo.core.events import Event, encode, trial_of
from kerashpo.store.base import Store
from kerashpo.store.disk_full import disk_full, is_full
from kerashpo.store.lock import Lock
from kerashpo.store.schema import (
    check_version,
    checksum,
    event_of,
    is_stray,
    upgrade,
    version_of,
)

WAY_OUT = (
    "Searching again repairs it up to its last whole event, and so does kerashpo doctor FOLDER "
    "--repair; the damaged file is kept beside it."
)
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)


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
        row = (kind, trial_of(event), body, checksum(kind, body))
        try:
            self._db.execute("INSERT INTO events (kind, trial, body, crc) VALUES (?, ?, ?, ?)", row)
        except sqlite3.OperationalError as error:
            raise _unwritable(self.path, error) from error

    def read(self, after: int = 0) -> Iterator[Event]:
        try:
            version = version_of(self._db)
            if version == 0:
                return  # Another process is about to write the schema.
            crc = "NULL" if version == 1 else "crc"
            query = f"SELECT id, kind, body, {crc} FROM events WHERE id > ? ORDER BY id"
            for expected, row in enumerate(self._db.execute(query, (after,)), after + 1):
                yield event_of(row, expected)
        except (sqlite3.DatabaseError, ValueError) as error:
            raise StudyCorrupt(
                f"The study's log {self.path} cannot be read to its end: {error}. {WAY_OUT}"
            ) from error

    def check(self) -> tuple[str, ...]:
        started: set[int] = set()
        try:
            told = [text for (text,) in self._db.execute("PRAGMA integrity_check")]
            orphans = [n for n, e in enumerate(self.read(), 1) if is_stray(e, started)]
        except (sqlite3.DatabaseError, StudyCorrupt) as error:
            return (str(error),)
        wrong = [text for text in told if text != "ok"]
        if orphans:
            wrong.append(f"event {orphans[0]} is about a trial that was never started")
        return tuple(wrong)

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

    def _prepare(self, readonly: bool) -> None:
        version = version_of(self._db)
        check_version(version, str(self.path))
        if readonly:
            return
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        upgrade(self._db, version)


def _explain(error: sqlite3.DatabaseError, path: Path) -> Exception:
    if isinstance(error, sqlite3.OperationalError):
        return _unwritable(path, error)
    repairable = error.sqlite_errorcode != sqlite3.SQLITE_NOTADB
    told = f"{path} is not a study's log, or it is damaged: {error}."
    return StudyCorrupt(f"{told} {WAY_OUT}" if repairable else told, repairable)


def _unwritable(path: Path, error: sqlite3.Error | OSError) -> KerashpoError:
    if getattr(error, "sqlite_errorcode", None) in _FULL or is_full(error):
        return disk_full(path, error)
    return InvalidInput(
        f"Cannot write to {str(path)!r}: {error}. Choose a folder that you may write to "
        "(directory=... of a tuner, --out of the comparison)."
    )
