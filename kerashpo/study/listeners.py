"""Passes events to listeners; a listener that raises is reported once and removed."""

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
    """Returns the argument `listeners` as a tuple; every object with `on_event` is accepted.

    Raises:
        InvalidInput: for an object without `on_event`.
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
    """Passes events to listeners; their exceptions never stop a study."""

    def __init__(self, listeners: Iterable[Listener]) -> None:
        self._listeners = list(listeners)

    def notify(self, event: Event, history: History) -> None:
        """Passes an event that `history` already includes to every listener."""
        for listener in tuple(self._listeners):
            try:
                listener.on_event(event, history)
            except Exception:
                self._listeners.remove(listener)
                _LOG.exception("The listener %r failed and is removed from this search.", listener)


def close_listeners(listeners: Iterable[Listener]) -> None:
    """Closes listeners; one without a method `close` is skipped."""
    for listener in listeners:
        close = getattr(listener, "close", None)
        try:
            if callable(close):
                close()
        except Exception:
            _LOG.exception("The listener %r failed while it was closed.", listener)
