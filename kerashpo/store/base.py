"""The seams: an append-only log, and named bytes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import final

from kerashpo.core.events import Event


class Store(ABC):
    """An append-only log of events. One writer: the loop."""

    @abstractmethod
    def append(self, event: Event) -> None:
        """Writes one event; when it returns, the event survives a killed process."""

    @abstractmethod
    def read(self, after: int = 0) -> Iterator[Event]:
        """Yields the events from the `after`-th on, in order."""

    def check(self) -> tuple[str, ...]:
        """Returns what is wrong with the log, a line each; nothing where it is whole.

        Whether the file can be read, and whether every event about a trial comes after the
        trial's start. `kerashpo.study.doctor` looks for checkpoints without a trial besides.
        """
        return ()

    @abstractmethod
    def close(self) -> None:
        """Lets go of files and locks."""


class Blobs(ABC):
    """Bytes under keys such as ``"7/checkpoint"``, reachable by every worker."""

    @abstractmethod
    def put(self, key: str, data: bytes) -> None:
        """Stores bytes; a reader sees the old ones or the new ones, never a part."""

    @abstractmethod
    def get(self, key: str) -> bytes | None:
        """Returns the bytes, None where there are none."""

    @abstractmethod
    def free(self, key: str) -> None:
        """Forgets a key; an unknown one is no error."""

    @abstractmethod
    def stored(self) -> tuple[str, ...]:
        """Returns the keys that hold bytes, those of writes that were cut short included."""

    @abstractmethod
    def size(self) -> int:
        """Returns the bytes stored in all."""


@final
class MemoryStore(Store):
    """Keeps events in a list."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def append(self, event: Event) -> None:
        self._events.append(event)

    def read(self, after: int = 0) -> Iterator[Event]:
        yield from self._events[after:]

    def close(self) -> None:
        return
