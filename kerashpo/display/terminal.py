"""A live block of a few lines, where the output is a terminal."""

from __future__ import annotations

import time
from typing import final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.text import Text

from kerashpo.core.events import Event, SessionEnded, SessionStarted
from kerashpo.core.history import History
from kerashpo.display.listener import Listener
from kerashpo.display.progress import Progress

_EVERY = 0.1


@final
class TerminalDisplay(Listener):
    """Draws bars by epochs with the time left; no colour that assumes a background.

    Args:
        progress: what is shown.
        console: where it is drawn; None for the process's terminal.
    """

    def __init__(self, progress: Progress, console: Console | None = None) -> None:
        self._progress = progress
        self._console = console or Console(highlight=False)
        self._live: Live | None = None
        self._drawn = 0.0

    def on_event(self, event: Event, snapshot: History) -> None:
        self._progress.update(event, snapshot)
        match event:
            case SessionStarted():
                for note in self._progress.plan.notes:
                    self._console.print(Text(f"note: {note}"))
                self._live = Live(console=self._console, auto_refresh=False, transient=True)
                self._live.start()
            case SessionEnded():
                self._end(snapshot)
            case _:
                self._draw(snapshot)

    def _draw(self, history: History) -> None:
        now = time.monotonic()
        if self._live is None or now - self._drawn < _EVERY:
            return
        self._drawn = now
        self._live.update(self._block(history), refresh=True)

    def _block(self, history: History) -> Group:
        share = self._progress.share(history)
        lines: list[RenderableType] = [
            Text(f"kerashpo  {self._progress.heading(history)}", style="bold", overflow="ellipsis"),
            Text(self._progress.counts(history), overflow="ellipsis"),
            # A bar alone does not end its line.
            Padding(ProgressBar(1.0, share or 0.0, width=60, pulse=share is None), 0),
            Text(self._progress.best(history), overflow="ellipsis"),
            Text(self._progress.rungs(history), overflow="ellipsis"),
        ]
        return Group(*lines)

    def _end(self, history: History) -> None:
        if self._live is not None:
            self._live.stop()
        self._console.print(Text(f"kerashpo  {self._progress.heading(history)}", style="bold"))
        self._console.print(Text(self._progress.counts(history)))
        for line in self._progress.farewell(history):
            self._console.print(Text(line))
