"""Opens the log and the checkpoints of a study, from the path or the URL of its folder.

Only this module knows what a folder's path may be, what a study's folder contains, and which
`Store` and `Blobs` read it. To add a storage, such as an object store: a subclass of each, and
its URL scheme in `_SCHEMES`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Event
from kerashpo.store.base import Blobs
from kerashpo.store.blobs import FileBlobs
from kerashpo.store.journal import JournalStore, events_from
from kerashpo.store.uri_blobs import UriBlobs

LOG_NAME: Final = "study.jsonl"
CHECKPOINTS: Final = "checkpoints"
_ELSEWHERE: Final = "checkpoints.url"
"""The file that names the place of the checkpoints if it is not the study's folder."""

_SCHEMES: Final = ("file",)
_URL: Final = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
"""A scheme of at least two letters; a single letter is a Windows drive."""


def folder_of(location: str | os.PathLike[str]) -> Path:
    """Returns the folder that a path or a ``file://`` URL names.

    Raises:
        InvalidInput: for a URL of another scheme, or of another machine.
    """
    text = os.fspath(location)
    match = _URL.match(text)
    if match is None:
        return Path(location)
    scheme, known = match[1].lower(), ", ".join(f"{name}://" for name in _SCHEMES)
    if scheme not in _SCHEMES:
        raise InvalidInput(
            f"A study is kept in a folder: pass a path, or a URL that begins with {known}. "
            f"Received: {text!r}. A mounted bucket or network disk is a "
            "path as well."
        )
    url = urlsplit(text)
    if url.netloc not in ("", "localhost"):
        raise InvalidInput(
            f"file:// URLs name folders of this machine: file:///{url.netloc}{url.path}, or a "
            f"path. Received: {text!r}."
        )
    return Path(url2pathname(unquote(url.path)))


def log_path(folder: Path) -> Path:
    """Returns the path of the log of the study in a folder, whether it exists or not."""
    return folder / LOG_NAME


def has_log(folder: Path) -> bool:
    """Whether a folder contains a study's log, even an empty or damaged one."""
    return log_path(folder).exists()


def open_store(folder: Path, readonly: bool = False) -> JournalStore:
    """Opens the log of the study in a folder; a missing one is created unless `readonly`.

    Raises:
        StudyBusy: if another process writes to it.
        InvalidInput: if the file cannot be read, or its folder cannot be written.
        StudyCorrupt: if the file is no study's log, or one of a later version.
    """
    return JournalStore(log_path(folder), readonly)


def open_blobs(folder: Path) -> Blobs:
    """Returns the checkpoints and weights of the study in a folder, whether it exists or not."""
    place = checkpoints_elsewhere(folder)
    if place is None:
        return FileBlobs(folder / CHECKPOINTS)
    return UriBlobs(place) if _URL.match(place) else FileBlobs(place)


def checkpoints_elsewhere(folder: Path) -> str | None:
    """Returns the folder or URL of a study's checkpoints, None if they are in its own folder."""
    try:
        return (folder / _ELSEWHERE).read_text(encoding="utf-8").strip()
    except OSError:
        return None


def place_checkpoints(folder: Path, place: str) -> None:
    """Places the checkpoints of the study in a folder elsewhere, below a folder or a URL.

    Raises:
        InvalidInput: if the study has checkpoints in another place already.
    """
    place = f"{place.rstrip('/')}/{folder.name}"
    known = checkpoints_elsewhere(folder)
    if known == place:
        return
    if known is not None or open_blobs(folder).stored():
        raise InvalidInput(
            f"The study in {str(folder)!r} has its checkpoints in {known or 'its own folder'!r}, "
            f"not in {place!r}. Search with the same checkpoints= as before."
        )
    (folder / _ELSEWHERE).write_text(place + "\n", encoding="utf-8")


def new_events(folder: Path, offset: int = 0) -> Iterator[tuple[Event, int]]:
    """Yields the events that were appended to a log since, each with where the next one begins.

    Args:
        folder: the study's folder.
        offset: the offset to begin at: an offset that was yielded before, or 0 for all events.

    Raises:
        StudyCorrupt: if an event is damaged.
    """
    yield from events_from(log_path(folder), offset)


def read_events(folder: Path) -> list[Event]:
    """Returns the events of the log in a folder, also while another process writes to it.

    Raises:
        InvalidInput: if there is no log, or it cannot be read.
        StudyCorrupt: if an event is damaged.
    """
    store = open_store(folder, readonly=True)
    try:
        return list(store.read())
    finally:
        store.close()
