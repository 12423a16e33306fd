"""The journal: an append-only text file with one checksummed JSON line per event.

The first line names the format; then each line is an event::

    {"crc":"6f2c01d3","kind":"report","at":1.5,"trial":0,"run":0,"epoch":1,...}

so that ``jq 'select(.kind == "ended")' study.jsonl`` works on a finished or running study.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias, final

from kerashpo.core.errors import InvalidInput, KerashpoError, StudyCorrupt
from kerashpo.core.events import Event, decode, encode
from kerashpo.store.base import Store, is_stray
from kerashpo.store.disk_full import disk_full, is_full
from kerashpo.store.lock import WriterLock

FORMAT: Final = 1
HEADER: Final = b'{"kind":"journal","format":%d}\n' % FORMAT
REPAIR_HINT: Final = (
    "Searching again repairs it up to its last whole event, and so does kerashpo doctor FOLDER "
    "--repair; the damaged file is kept beside it."
)
_START: Final = b'{"crc":"'
_REST: Final = len(_START) + 8 + len(b'",')


@final
class JournalStore(Store):
    """Events as the lines of one file; works on network disks.

    An event is acknowledged when its whole line is in the file. A last line without its
    newline never was: readers skip it, and the next writer removes it. Data handed to the
    system survives a killed process; a power cut may lose the last lines.

    Args:
        path: the file; its folder is created if it is missing.
        readonly: open an existing file for reading only, also while another process writes.

    Attributes:
        dropped: bytes of an incomplete last line that were removed on opening. Few
            after a killed process; after other damage, checkpoints may be ahead of the log.

    Raises:
        StudyBusy: if another process writes to it.
        InvalidInput: if the file cannot be read, or its folder cannot be written.
        StudyCorrupt: if the file is no study's log, or one of a later version.
    """

    def __init__(self, path: str | Path, readonly: bool = False) -> None:
        self.path = Path(path)
        self._lock: WriterLock | None = None
        self._file: io.FileIO | None = None
        self._torn = False
        self.dropped = 0
        try:
            if not readonly:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._lock = WriterLock(self.path)
                self._file = io.FileIO(self.path, "ab")
            check_header(self.path)
            if not readonly:
                self.dropped = self._cut_to_whole_lines()
        except OSError as error:
            self.close()
            explain = _unreadable if readonly else _unwritable
            raise explain(self.path, error) from error
        except KerashpoError:
            self.close()
            raise

    def append(self, event: Event) -> None:
        if self._file is None:
            raise InvalidInput(f"The log {self.path} was opened readonly: nothing can be added.")
        try:
            if self._torn:
                self._cut_to_whole_lines()
            self._write(self._file, event)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def read(self) -> Iterator[Event]:
        yield from (event for event, _ in events_from(self.path))

    def close(self) -> None:
        file, lock = self._file, self._lock
        self._file = self._lock = None
        ends_in_error = sys.exc_info()[1] is not None
        try:
            if file is not None:
                with file:
                    os.fsync(file.fileno())  # a network disk may report only now that it is full
        except OSError as error:
            if not ends_in_error:  # the first error is the more informative one
                raise _unwritable(self.path, error) from error
        finally:
            if lock is not None:
                lock.release()

    def _write(self, file: io.FileIO, event: Event) -> None:
        """Appends a line; one that does not fit is removed again."""
        size = os.fstat(file.fileno()).st_size
        line = line_of(event, size)
        self._torn = True
        try:
            _write_all(file, line)
        except BaseException:
            with contextlib.suppress(OSError):
                file.truncate(size)
            raise
        self._torn = False

    def _cut_to_whole_lines(self) -> int:
        """Removes an incomplete last line and writes the header of an empty file; returns bytes."""
        assert self._file is not None
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            self._file.truncate(whole)
        if not whole:
            _write_all(self._file, HEADER)
        self._torn = False
        return len(data) - whole


Stamp: TypeAlias = tuple[int, int, int]
"""Identifies a version of a log file: its inode, size, and time of the last change."""


def stamp_of(path: Path) -> Stamp:
    """Returns the stamp of a log file; equal stamps mean equal events."""
    found = path.stat()
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def _write_all(file: io.FileIO, data: bytes) -> None:
    """Writes all bytes; a full disk may take a part, and the next call raises the reason."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) or 0 :]


def line_of(event: Event, offset: int) -> bytes:
    """Serialises an event as its line of the journal.

    Args:
        event: the event to write.
        offset: position in the file where the line begins. The checksum covers it, so that a
            line that was lost or moved is detected, not only a changed one.
    """
    rest = encode(event)[1:].encode()
    return b'%b%08x",%b\n' % (_START, _checksum(rest, offset), rest)


def lines_of(events: Iterable[Event]) -> list[str]:
    """Serialises a whole log as lines without newlines, for embedding in other files."""
    lines, offset = [HEADER], len(HEADER)
    for event in events:
        lines.append(line_of(event, offset))
        offset += len(lines[-1])
    return [line.decode().removesuffix("\n") for line in lines]


def events_from(path: Path, offset: int = 0) -> Iterator[tuple[Event, int]]:
    """Yields the events of a log, each with the offset in bytes at which the next one begins.

    Args:
        path: the log.
        offset: the offset to begin at: one that was yielded before, or 0.

    Raises:
        StudyCorrupt: at the first event that is damaged.
    """
    with open(path, "rb") as file:
        file.seek(offset)
        place = offset or len(file.readline())
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return  # a line that is being written, or was cut short
            try:
                event = event_of(line, place)
            except ValueError as error:
                where = f"event {number} (line {number + 1})" if not offset else f"byte {place}"
                raise StudyCorrupt(
                    f"The study's log {path} cannot be read to its end: {where}: {error}. "
                    f"{REPAIR_HINT}"
                ) from error
            place += len(line)
            yield event, place


def read_lines(lines: Sequence[str]) -> Iterator[Event]:
    """Yields the events of a log that `lines_of` returned.

    Raises:
        ValueError: at the first line that is damaged, or if the first one is no header.
    """
    if not lines or f"{lines[0]}\n".encode() != HEADER:
        raise ValueError("its first line is not that of a study's log")
    offset = len(HEADER)
    for number, text in enumerate(lines[1:], 1):
        line = f"{text}\n".encode()
        try:
            yield event_of(line, offset)
        except ValueError as error:
            raise ValueError(f"event {number}: {error}") from error
        offset += len(line)


def event_of(line: bytes, offset: int) -> Event:
    """Deserialises the event of a line that begins at `offset`.

    Raises:
        ValueError: if the line is damaged, or lines before it are missing.
    """
    rest = line[_REST:].removesuffix(b"\n")
    if line[: len(_START)] != _START or line[len(_START) : _REST] != b'%08x",' % _checksum(
        rest, offset
    ):
        raise ValueError("it does not match its checksum")
    return decode("{" + rest.decode())


def _checksum(rest: bytes, offset: int) -> int:
    return zlib.crc32(rest, offset % 2**32)


def check_header(path: Path) -> None:
    """Checks that a file is a log of this version, or empty.

    Raises:
        StudyCorrupt: if it is not.
        OSError: if it cannot be read.
    """
    with open(path, "rb") as file:
        first = file.readline(4096)
        second_at = file.tell()
        second = file.readline()
    if first == HEADER or (HEADER.startswith(first) and not second):
        return
    try:
        event_of(second, second_at)
    except ValueError:
        raise _foreign(path, first) from None
    raise StudyCorrupt(f"The first line of the study's log {path} is damaged. {REPAIR_HINT}")


@dataclass(frozen=True, slots=True)
class Repaired:
    """The result of a repair.

    Attributes:
        events: how many events were kept.
        lost: how many lines were dropped: the first damaged one and all after it.
        original: the path of the copy of the damaged file.
    """

    events: int
    lost: int
    original: Path


def repair(path: Path) -> Repaired:
    """Truncates a damaged log before its first damaged line; keeps a copy of the damaged file.

    Raises:
        StudyBusy: if another process writes to it.
        StudyCorrupt: if no event can be kept; nothing is changed then.
    """
    lock = WriterLock(path)
    try:
        data = path.read_bytes()
        events, end = whole_part(data)
        if not events:
            raise StudyCorrupt(
                f"No event of the log {path} can be saved. To start again, pass overwrite=True, or "
                "put a copy of the file in its place if there is one.",
                repairable=False,
            )
        original = _free_name(path)
        original.write_bytes(data)
        fresh = path.with_name(f"{path.name}.repaired")
        with open(fresh, "wb") as file:
            file.write(HEADER + data[len(HEADER) : end])
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        return Repaired(events, len(data[end:].splitlines()), original)
    finally:
        lock.release()


def whole_part(data: bytes) -> tuple[int, int]:
    """Returns how many events are intact from the first on, and the offset where they end."""
    offset, count, started = len(HEADER), 0, set[int]()
    for line in io.BytesIO(data[offset:]):
        try:
            if not line.endswith(b"\n") or is_stray(event_of(line, offset), started):
                break
        except ValueError:
            break
        offset, count = offset + len(line), count + 1
    return count, offset


def _free_name(path: Path) -> Path:
    number = 1
    while (kept := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return kept


def _foreign(path: Path, first: bytes) -> StudyCorrupt:
    with contextlib.suppress(ValueError, AttributeError):
        head = json.loads(first)
        if head.get("kind") == "journal" and head.get("format", 0) > FORMAT:
            return StudyCorrupt(
                f"{path} was written by a newer kerashpo (format {head['format']}, this one reads "
                f"{FORMAT}). Upgrade kerashpo to open it.",
                repairable=False,
            )
    return StudyCorrupt(f"{path} is not a study's log.", repairable=False)


def _unreadable(path: Path, error: OSError) -> InvalidInput:
    return InvalidInput(f"Cannot read the study's log {str(path)!r}: {error}.")


def _unwritable(path: Path, error: OSError) -> KerashpoError:
    if is_full(error):
        return disk_full(path, error)
    return InvalidInput(
        f"Cannot write to {str(path)!r}: {error}. Choose a folder that you may write to "
        "(directory=... of a tuner, --out of the comparison)."
    )
