"""A live block of a few lines, where the output is a terminal."""

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
    JobStarted,
    Noted,
    Reported,
    SessionEnded,
    SessionStarted,
)
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.display import text as texts
from kerashpo.display.progress import Progress
from kerashpo.display.snapshot import Running, View
from kerashpo.display.sparkline import bar, sparkline

_EVERY = 0.1
_PER_SECOND = 4
_CURVE = 16
_MOST_RUNNING = 8


@final
class TerminalDisplay(Listener):
    """Draws bars by epochs with the time left; no colour that assumes a background.

    Numbers are taken when something happens, at most ten times a second; the block is
    drawn from them by rich's own thread, so that the clock goes on during a long epoch.

    Args:
        progress: what is shown.
        console: where it is drawn; None for the process's terminal.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        progress: Progress,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._progress, self._clock = progress, clock
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
            case Noted() if told := texts.note(event):
                self._console.print(Text(f"note: {told}"))
            # Between a trial's end and the next one's start nothing runs, which says nothing.
            case Reported() | JobStarted() if self._due():
                self._seen = (self._clock(), self._progress.view(snapshot))

    def close(self) -> None:
        """Gives the terminal back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def block(self) -> Group:
        """Returns the lines as they are now."""
        if self._seen is None:
            return Group()
        at, view = self._seen
        return Group(*draw(ticked(view, self._clock() - at), self._console))

    def _due(self) -> bool:
        return self._seen is None or self._clock() - self._seen[0] >= _EVERY

    def _begin(self, history: History) -> None:
        for note in self._progress.plan.notes:
            self._console.print(Text(f"note: {note}"))
        self._seen = (self._clock(), self._progress.view(history))
        self._live = Live(
            console=self._console,
            get_renderable=self.block,
            refresh_per_second=_PER_SECOND,
            transient=True,
        )
        self._live.start()

    def _summary(self, view: View) -> None:
        self._console.print(*_title(view, self._console.width), sep="\n")
        for line in texts.flow(_numbers(view), self._console.width):
            self._console.print(Text(line))
        for line in texts.farewell(view):
            # Values and paths stay whole, so that they can be copied.
            self._console.print(Text(line), soft_wrap=True)


def ticked(view: View, seconds: float) -> View:
    """Returns the view some seconds later: nothing has happened but time."""
    left = None if view.left is None else max(0.0, view.left - seconds)
    return dataclasses.replace(view, elapsed=view.elapsed + seconds, left=left)


def draw(view: View, console: Console) -> list[Text]:
    """Returns the block's lines, each within the console's width."""
    plain = not console.encoding.lower().startswith("utf")
    lines = [*_title(view, console.width), _bar(view, console.width, plain)]
    told = [texts.best(view.best, view.objective[0]), *texts.counts(view)]
    lines += [_line(line) for line in texts.flow(told, console.width)]
    lines += _training(view.running[:_MOST_RUNNING], plain)
    if not view.running:
        lines.append(_line("  waiting for a worker"))
    if len(view.running) > _MOST_RUNNING:
        lines.append(_line(f"  and {len(view.running) - _MOST_RUNNING} more"))
    return lines


def _title(view: View, width: int) -> list[Text]:
    first, *rest = texts.heading(view)
    told = texts.flow([f"kerashpo  {first}", *rest], width)
    return [_line(line, style="bold") for line in told]


def _bar(view: View, width: int, plain: bool) -> Text:
    before, after = texts.trials(view), texts.epochs(view)
    room = min(40, width - len(before) - len(after) - 4)
    if view.share is None or room < 5:
        return _line(f"{before}   {after}")
    done, left = bar(view.share, room, plain)
    return _line(before, "  ", (done, "bold"), (left, "dim"), "  ", after)


def _training(running: Sequence[Running], plain: bool) -> list[Text]:
    told = [texts.training(one) for one in running]
    widest = max(map(len, told), default=0)
    curves = ["" if plain else sparkline(one.curve, _CURVE) for one in running]
    return [
        _line(f"  {text:<{widest}}  ", (f"{curve:<{_CURVE}}", "bold"), (f"  {about}", "dim"))
        for text, curve, about in zip(told, curves, (texts.values(one.config) for one in running))
    ]


def _line(*parts: str | tuple[str, str], style: str = "") -> Text:
    return Text.assemble(*parts, style=style, no_wrap=True, overflow="ellipsis")


def _numbers(view: View) -> list[str]:
    return [texts.trials(view), texts.epochs(view).rpartition("   ")[0], *texts.counts(view)]
