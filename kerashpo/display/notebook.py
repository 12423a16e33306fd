"""One cell output, updated in place at most every two seconds."""

from __future__ import annotations

import time
from html import escape
from typing import Any, final

from kerashpo.core.events import Event, SessionEnded, SessionStarted
from kerashpo.core.history import History
from kerashpo.display.listener import Listener
from kerashpo.display.progress import Progress

_EVERY = 2.0


@final
class NotebookDisplay(Listener):
    """Shows a small table through IPython's display handle; no widgets.

    Args:
        progress: what is shown.
        display: `IPython.display.display`.
        html: `IPython.display.HTML`.
    """

    def __init__(self, progress: Progress, display: Any, html: Any) -> None:
        self._progress, self._display, self._html = progress, display, html
        self._handle: Any = None
        self._drawn = 0.0

    def on_event(self, event: Event, snapshot: History) -> None:
        self._progress.update(event, snapshot)
        if isinstance(event, SessionStarted):
            self._handle = self._display(self._html(self._page(snapshot)), display_id=True)
        last = isinstance(event, SessionEnded)
        if self._handle is not None and (last or time.monotonic() - self._drawn > _EVERY):
            self._drawn = time.monotonic()
            self._handle.update(self._html(self._page(snapshot, last)))

    def _page(self, history: History, last: bool = False) -> str:
        share = self._progress.share(history)
        lines = [self._progress.counts(history), self._progress.rungs(history)]
        lines += self._progress.farewell(history) if last else [self._progress.best(history)]
        rows = "".join(f"<tr><td>{escape(line)}</td></tr>" for line in lines if line)
        bar = "" if share is None else _bar(share)
        title = escape(f"kerashpo  {self._progress.heading(history)}")
        return f"<table><thead><tr><th>{title}</th></tr></thead><tbody>{rows}</tbody></table>{bar}"


def _bar(share: float) -> str:
    """An inline picture in the text's own colour, so that it fits any theme."""
    return (
        '<svg width="480" height="8" role="img" aria-label="progress">'
        '<rect width="480" height="8" fill="currentColor" opacity="0.15"/>'
        f'<rect width="{480 * share:.0f}" height="8" fill="currentColor" opacity="0.7"/></svg>'
    )
