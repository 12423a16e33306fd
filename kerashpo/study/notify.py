"""Tells listeners what happened; a broken one is reported once and left out."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import final

from kerashpo.core.events import Event
from kerashpo.core.history import History
from kerashpo.display.listener import Listener

_LOG = logging.getLogger("kerashpo")


@final
class Notifier:
    """Passes events on, and never lets a listener stop a study."""

    def __init__(self, listeners: Iterable[Listener]) -> None:
        self._listeners = list(listeners)

    def tell(self, event: Event, history: History) -> None:
        """Tells every listener about an event that `history` holds already."""
        for listener in tuple(self._listeners):
            try:
                listener.on_event(event, history)
            except Exception:
                self._listeners.remove(listener)
                _LOG.exception("The listener %r failed and hears no more of this search.", listener)
