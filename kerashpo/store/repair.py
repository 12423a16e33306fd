"""Saves the whole events of a damaged log, up to the first that is lost."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kerashpo.core.errors import StudyCorrupt
from kerashpo.core.events import trial_of
from kerashpo.store.lock import Lock
from kerashpo.store.pages import page_count, page_size, rows
from kerashpo.store.schema import Row, event_of, is_stray, upgrade

_WAL, _SHM = "-wal", "-shm"


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair did.

    Attributes:
        events: how many events were saved.
        lost: how many whole events come after one that is lost, and were left out.
        original: where the damaged file is kept.
    """

    events: int
    lost: int
    original: Path


def repair(path: Path) -> Repaired:
    """Replaces a damaged log by one with its whole events; keeps the damaged file beside it.

    Raises:
        StudyBusy: if another process writes to it.
        StudyCorrupt: if no event can be saved; nothing is changed then.
    """
    lock = Lock(path)
    try:
        found = salvage(path)
        whole = _whole(found)
        if not whole:
            raise StudyCorrupt(
                f"No event of the log {path} can be saved. To start anew, pass overwrite=True, or "
                "put a copy of the file in its place if there is one.",
                repairable=False,
            )
        original = _keep(path)
        fresh = path.with_name(f"{path.name}.repaired")
        _write(fresh, whole)
        # The log of writes belongs to the damaged file: it must not be applied to the new one.
        for suffix in (_WAL, _SHM):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        fresh.replace(path)
        return Repaired(len(whole), len(found) - len(whole), original)
    finally:
        lock.release()


def salvage(path: Path) -> dict[int, Row]:
    """Returns by number the rows of a log that can be read, without changing the file."""
    found: dict[int, Row] = {}
    for number, columns in rows(_merged(path)):
        match columns:
            case [None, str(kind), None | int(), str(body), *rest]:
                crc = rest[0] if rest and isinstance(rest[0], int) else None
                found.setdefault(number, (number, kind, body, crc))
    return found


def _whole(found: dict[int, Row]) -> list[Row]:
    """Returns the rows from the first on, as far as each is whole."""
    whole: list[Row] = []
    started: set[int] = set()
    with contextlib.suppress(KeyError, ValueError):
        while True:
            row = found[len(whole) + 1]
            if is_stray(event_of(row, len(whole) + 1), started):
                break
            whole.append(row)
    return whole


def _merged(path: Path) -> bytes:
    """Returns the bytes of the file with its log of writes applied, as far as SQLite does."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        data = path.read_bytes()
        # SQLite opens no file that is shorter than its header says; pages of zeros are no rows.
        size = page_size(data) or 4096
        pages = max(page_count(data), 1) if page_size(data) else 1
        missing = size * min(pages, 2**20) - len(data)
        copy.write_bytes(data + bytes(max(0, missing)))
        wal = path.with_name(path.name + _WAL)
        if wal.exists():
            shutil.copyfile(wal, copy.with_name(copy.name + _WAL))
            with contextlib.suppress(sqlite3.DatabaseError):
                db = sqlite3.connect(copy, isolation_level=None)
                with contextlib.closing(db):
                    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return copy.read_bytes()


def _keep(path: Path) -> Path:
    """Copies the damaged file and its log of writes to names that are free."""
    number = 1
    while (kept := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    shutil.copyfile(path, kept)
    wal = path.with_name(path.name + _WAL)
    if wal.exists():
        shutil.copyfile(wal, kept.with_name(kept.name + _WAL))
    return kept


def _write(path: Path, whole: list[Row]) -> None:
    path.unlink(missing_ok=True)
    db = sqlite3.connect(path, isolation_level=None)
    with contextlib.closing(db):
        upgrade(db, 0)
        db.execute("BEGIN")
        for row in whole:
            number, kind, body, crc = row
            trial = trial_of(event_of(row, number))
            db.execute(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?)", (number, kind, trial, body, crc)
            )
        db.execute("COMMIT")
