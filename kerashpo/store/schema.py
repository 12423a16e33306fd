"""The table of events, its versions, and what a whole row is."""

from __future__ import annotations

import sqlite3
import zlib
from typing import Final, TypeAlias

from kerashpo.core.errors import StudyCorrupt
from kerashpo.core.events import Event, JobStarted, decode, trial_of
from kerashpo.core.records import Resume

Row: TypeAlias = "tuple[int, str, str, int | None]"
"""Number, kind, body and checksum of an event."""

VERSION: Final = 2
_CREATE = """
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    trial INTEGER,
    body TEXT NOT NULL,
    crc INTEGER
);
"""
_STEPS: Final[dict[int, str]] = {
    # SQLite checks no page that was written: a flipped bit would be read as another number.
    1: "ALTER TABLE events ADD COLUMN crc INTEGER;",
}
"""By version, the statements that lead to the next one."""


def version_of(db: sqlite3.Connection) -> int:
    """Returns the version of an open file, 0 for an empty one."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def upgrade(db: sqlite3.Connection, version: int) -> None:
    """Brings a file of an earlier version, or an empty one, to `VERSION`.

    All of it or nothing: a process that is killed meanwhile leaves the version it found.
    """
    steps = [_CREATE] if version == 0 else [_STEPS[step] for step in range(version, VERSION)]
    if steps:
        db.executescript(
            f"BEGIN IMMEDIATE; {' '.join(steps)} PRAGMA user_version={VERSION}; COMMIT;"
        )


def checksum(kind: str, body: str) -> int:
    """Returns the CRC-32 of an event as it is written down."""
    return zlib.crc32(body.encode(), zlib.crc32(kind.encode()))


def event_of(row: Row, expected: int) -> Event:
    """Returns the event of a row.

    Args:
        row: as it was read; a row of version 1 has no checksum.
        expected: the number that it must have: one more than the event before.

    Raises:
        ValueError: if it is not whole, or events before it are missing.
    """
    number, kind, body, crc = row
    if number != expected:
        raise ValueError(f"event {expected} is missing")
    if crc is not None and crc != checksum(kind, body):
        raise ValueError(f"event {number} does not match its checksum")
    return decode(kind, body)


def is_stray(event: Event, started: set[int]) -> bool:
    """Tells whether an event is about a trial that no event before it has started.

    Args:
        event: the next event of a log.
        started: the trials that its earlier events started; takes a new one in.
    """
    if isinstance(event, JobStarted) and not isinstance(event.job, Resume):
        started.add(event.job.trial)
    trial = trial_of(event)
    return trial is not None and trial not in started


def check_version(version: int, name: str) -> None:
    """Raises StudyCorrupt for a file that a later kerashpo wrote."""
    if version > VERSION:
        raise StudyCorrupt(
            f"{name} was written by a newer kerashpo (format {version}, this one "
            f"knows {VERSION}). Upgrade kerashpo to open it.",
            repairable=False,
        )
