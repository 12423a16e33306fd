"""`Listener`, the interface of loggers and displays."""

from __future__ import annotations

from abc import ABC, abstractmethod

from kerashpo.core.events import Event
from kerashpo.core.history import History


class Listener(ABC):
    """Receives every event of a study, in order; its exceptions never stop the study."""

    @abstractmethod
    def on_event(self, event: Event, snapshot: History) -> None:
        """Handles an event; `snapshot` is the history that includes it, read-only."""

    def close(self) -> None:
        """Releases what is open when the search ends, also if it ended with an error."""
        return
