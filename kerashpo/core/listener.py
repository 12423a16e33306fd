"""The seam: who hears what happens."""

from __future__ import annotations

from abc import ABC, abstractmethod

from kerashpo.core.events import Event
from kerashpo.core.history import History


class Listener(ABC):
    """Hears every event of a study, in order."""

    @abstractmethod
    def on_event(self, event: Event, snapshot: History) -> None:
        """Hears one event; `snapshot` is the history that holds it, for reading only."""

    def close(self) -> None:
        """Lets go of what is open when the search is over, also where it ended in an error."""
        return
