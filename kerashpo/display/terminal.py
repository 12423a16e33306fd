"""`TerminalDisplay`: a live block of a few lines, where the output is a terminal."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import final

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from kerashpo.core.events import (
    Event,
    FleetChanged,
    JobStarted,
    Noted,
    Reported,
    SessionEnded,
    SessionStarted,
)
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.display import text
from kerashpo.display.progress import Progress
from kerashpo.display.snapshot import Running, View
from kerashpo.display.sparkline import bar, sparkline
from kerashpo.i18n.texts import Texts

_EVERY = 0.1
_PER_SECOND = 4
_CURVE = 16
_MOST_RUNNING = 8


@final
class TerminalDisplay(Listener):
    """Draws bars by epochs with the time left; no colour that assumes a background.

    Numbers are taken when something happens, at most ten times a second; the block is
    drawn from them by rich's own thread, so that the clock keeps running during a long epoch.

    Args:
        progress: the numbers to show.
        console: the console to draw on; None for the process's terminal.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        progress: Progress,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._progress, self._clock = progress, clock
        self._texts = progress.texts
        self._console = console or Console(highlight=False)
        self._live: Live | None = None
        self._seen: tuple[float, View] | None = None

    def on_event(self, event: Event, snapshot: History) -> None:
        self._progress.update(event, snapshot)
        match event:
            case SessionStarted():
                self._begin(snapshot)
            case SessionEnded():
                self.close()
                self._summary(self._progress.view(snapshot))
            case Noted() if line := text.note(event, self._texts):
                self._console.print(Text(self._texts("display.note", note=line)))
            case FleetChanged() if self._progress.fleet_note:
                note = self._progress.fleet_note
                self._console.print(Text(self._texts("display.note", note=note)))
            # Not at a trial's end: until the next one starts the block would show nothing.
            case Reported() | JobStarted() if self._due():
                self._seen = (self._clock(), self._progress.view(snapshot))

    def close(self) -> None:
        """Ends the live block and restores the terminal."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def block(self) -> Group:
        """Returns the lines as they are now."""
        if self._seen is None:
            return Group()
        at, view = self._seen
        return Group(*draw(ticked(view, self._clock() - at), self._console, self._texts))

    def _due(self) -> bool:
        return self._seen is None or self._clock() - self._seen[0] >= _EVERY

    def _begin(self, history: History) -> None:
        for note in self._progress.notes:
            self._console.print(Text(self._texts("display.note", note=note)))
        self._seen = (self._clock(), self._progress.view(history))
        self._live = Live(
            console=self._console,
            get_renderable=self.block,
            refresh_per_second=_PER_SECOND,
            transient=True,
        )
        self._live.start()

    def _summary(self, view: View) -> None:
        words = self._texts
        self._console.print(*_title(view, self._console.width, words), sep="\n")
        numbers = [text.trials(view, words), text.progress(view, words), *text.counts(view, words)]
        for line in text.flow(numbers, self._console.width):
            self._console.print(Text(line))
        for line in text.farewell(view, words):
            # Values and paths stay whole, so that they can be copied.
            self._console.print(Text(line), soft_wrap=True)


def ticked(view: View, seconds: float) -> View:
    """Returns the view some seconds later, without further events."""
    left = None if view.left is None else max(0.0, view.left - seconds)
    return dataclasses.replace(view, elapsed=view.elapsed + seconds, left=left)


def draw(view: View, console: Console, words: Texts) -> list[Text]:
    """Returns the block's lines, each within the console's width."""
    plain = not console.encoding.lower().startswith("utf")
    lines = [*_title(view, console.width, words), _bar(view, console.width, plain, words)]
    parts = [text.best(view, words), *text.counts(view, words)]
    lines += [_line(line) for line in text.flow(parts, console.width)]
    lines += _training(view.running[:_MOST_RUNNING], plain, words)
    if not view.running:
        lines.append(_line(f"  {words('display.waiting')}"))
    if len(view.running) > _MOST_RUNNING:
        lines.append(_line(f"  {words('display.more', count=len(view.running) - _MOST_RUNNING)}"))
    return lines


def _title(view: View, width: int, words: Texts) -> list[Text]:
    first, *rest = text.heading(view, words)
    lines = text.flow([f"kerashpo  {first}", *rest], width)
    return [_line(line, style="bold") for line in lines]


def _bar(view: View, width: int, plain: bool, words: Texts) -> Text:
    before, after = text.trials(view, words), text.progress(view, words)
    room = min(40, width - len(before) - len(after) - 4)
    if view.share is None or room < 5:
        return _line(f"{before}   {after}")
    done, left = bar(view.share, room, plain)
    return _line(before, "  ", (done, "bold"), (left, "dim"), "  ", after)


def _training(running: Sequence[Running], plain: bool, words: Texts) -> list[Text]:
    lines = [text.training(one, words) for one in running]
    widest = max(map(len, lines), default=0)
    curves = ["" if plain else sparkline(one.curve, _CURVE) for one in running]
    return [
        _line(f"  {line:<{widest}}  ", (f"{curve:<{_CURVE}}", "bold"), (f"  {about}", "dim"))
        for line, curve, about in zip(lines, curves, (text.values(one.config) for one in running))
    ]


def _line(*parts: str | tuple[str, str], style: str = "") -> Text:
    return Text.assemble(*parts, style=style, no_wrap=True, overflow="ellipsis")
