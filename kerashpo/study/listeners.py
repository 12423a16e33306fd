"""Tells listeners what happened; a broken one is reported once and left out."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, final

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Event
from kerashpo.core.history import History
from kerashpo.core.listener import Listener

_LOG = logging.getLogger("kerashpo")


def check_listeners(given: Any) -> tuple[Listener, ...]:
    """Returns what was given as `listeners` as a tuple; anything with `on_event` listens.

    Raises:
        InvalidInput: for something that cannot listen.
    """
    several = tuple(given) if isinstance(given, (list, tuple)) else (given,) if given else ()
    for listener in several:
        if not callable(getattr(listener, "on_event", None)) or isinstance(listener, type):
            raise InvalidInput(
                "listeners must be objects with a method on_event(event, snapshot), e.g. "
                f"kerashpo.callbacks.CSVLog('epochs.csv'). Received: {listener!r}."
            )
    return several


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


def close_listeners(listeners: Iterable[Listener]) -> None:
    """Lets listeners let go of what they hold open; one that has no `close` has nothing to."""
    for listener in listeners:
        close = getattr(listener, "close", None)
        try:
            if callable(close):
                close()
        except Exception:
            _LOG.exception("The listener %r failed while it was closed.", listener)
