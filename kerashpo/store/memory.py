"""A log in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from kerashpo.core.events import Event
from kerashpo.store.base import Store


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
