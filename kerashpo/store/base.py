"""Interfaces: `Store`, the append-only event log, and `Blobs`, bytes under keys."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, final

from kerashpo.core.errors import StudyCorrupt
from kerashpo.core.events import Event, JobStarted, trial_of
from kerashpo.core.records import Resume

T = TypeVar("T")


class Store(ABC):
    """An append-only log of events. One writer: the loop."""

    @abstractmethod
    def append(self, event: Event) -> None:
        """Writes one event; when it returns, the event survives a killed process.

        Raises:
            DiskFull: if there is no space for it; the log is unchanged then.
        """

    @abstractmethod
    def read(self) -> Iterator[Event]:
        """Yields the events in order.

        Raises:
            StudyCorrupt: at the first event that is damaged.
        """

    def check(self) -> tuple[str, ...]:
        """Returns the problems of the log, a line each; nothing if it is intact.

        It checks that every event can be read, and that every event about a trial comes after
        the trial's start. `kerashpo.study.doctor` also checks the checkpoints.
        """
        started: set[int] = set()
        try:
            for number, event in enumerate(self.read(), 1):
                if is_stray(event, started):
                    return (f"event {number} is about a trial that was never started",)
        except StudyCorrupt as error:
            return (str(error),)
        return ()

    @abstractmethod
    def close(self) -> None:
        """Releases files and locks."""


def is_stray(event: Event, started: set[int]) -> bool:
    """Whether an event is about a trial that no earlier event has started.

    Args:
        event: the next event of a log.
        started: the trials that its earlier events started; a new one is added.
    """
    if isinstance(event, JobStarted) and not isinstance(event.job, Resume):
        started.add(event.trial)
    trial = trial_of(event)
    return trial is not None and trial not in started


class Blobs(ABC):
    """Bytes under keys such as ``"7/checkpoint"``, reachable by every worker."""

    @abstractmethod
    def put(self, key: str, data: bytes) -> None:
        """Stores bytes atomically: a reader sees the old ones or the new ones, never a part."""

    @abstractmethod
    def get(self, key: str) -> bytes | None:
        """Returns the bytes, None if the key is not stored."""

    @abstractmethod
    def free(self, key: str) -> None:
        """Deletes a key; an unknown one is not an error."""

    @abstractmethod
    def stored(self, under: str = "") -> tuple[str, ...]:
        """Returns the stored keys, including incomplete files of interrupted writes.

        Args:
            under: only those in this folder, e.g. ``"7"`` for ``"7/best-0.npz"``; all if empty.
        """

    def copy(self, source: str, target: str) -> bool:
        """Copies the bytes of `source` to `target`; returns whether `source` is stored."""
        data = self.get(source)
        if data is None:
            return False
        self.put(target, data)
        return True

    def together(self, steps: Callable[..., T], *arguments: Any) -> T:
        """Returns ``steps(self, *arguments)``; for bytes on another machine it is one request.

        Args:
            steps: a function of a module, so that it can be pickled.
            arguments: its further arguments.
        """
        return steps(self, *arguments)


@final
class MemoryStore(Store):
    """Keeps events in a list."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def append(self, event: Event) -> None:
        self._events.append(event)

    def read(self) -> Iterator[Event]:
        yield from tuple(self._events)

    def close(self) -> None:
        return
