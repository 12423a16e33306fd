"""One cell output, updated in place at most every two seconds."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from html import escape
from typing import Any, final

from kerashpo.core.events import Event, Noted, Reported, SessionEnded, SessionStarted
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.display import text as texts
from kerashpo.display.chart import Staircase, picture
from kerashpo.display.progress import Progress
from kerashpo.display.snapshot import Running, View
from kerashpo.display.sparkline import sparkline

_EVERY = 2.0
_MOST_RUNNING = 8
_MOST_NOTES = 4
_CURVE = 16


@final
class NotebookDisplay(Listener):
    """Shows a small table and a picture through IPython's display handle; no widgets.

    After the search the cell holds the summary, so that a saved notebook shows it.

    Args:
        progress: what is shown.
        display: `IPython.display.display`.
        html: `IPython.display.HTML`.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        progress: Progress,
        display: Any,
        html: Any,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._progress, self._display, self._html = progress, display, html
        self._clock = clock
        self._stairs = Staircase()
        self._handle: Any = None
        self._drawn = 0.0
        self._notes: deque[str] = deque(maxlen=_MOST_NOTES)

    def on_event(self, event: Event, snapshot: History) -> None:
        self._progress.update(event, snapshot)
        match event:
            case SessionStarted():
                self._stairs.take_up(snapshot)
                self._handle = self._display(self._page(snapshot), display_id=True)
                self._drawn = self._clock()
            case SessionEnded():
                self._draw(snapshot)
            case Noted() if told := texts.note(event):
                self._notes.append(told)
            case Reported():
                self._stairs.update(snapshot)
                if self._clock() - self._drawn >= _EVERY:
                    self._draw(snapshot)

    def _draw(self, history: History) -> None:
        self._drawn = self._clock()
        if self._handle is not None:
            self._handle.update(self._page(history))

    def _page(self, history: History) -> Any:
        view = self._progress.view(history)
        return self._html(
            page(view, (*self._progress.plan.notes, *self._notes), picture(self._stairs, history))
        )


def page(view: View, notes: tuple[str, ...], drawn: str) -> str:
    """Returns the cell: title, bar, numbers, what runs now or the summary, the picture."""
    rows = [*_numbers(view), *(_training(view) if view.ended is None else _summary(view))]
    rows += [("note", escape(note)) for note in notes]
    body = "".join(
        f'<tr><td style="text-align:left">{label}</td><td style="text-align:left">{cell}</td></tr>'
        for label, cell in rows
    )
    title = _dotted(texts.GAP.join(["kerashpo", *texts.heading(view)]))
    return f"<div><b>{title}</b>{_bar(view.share)}<table><tbody>{body}</tbody></table>{drawn}</div>"


def _numbers(view: View) -> list[tuple[str, str]]:
    told = [texts.trials(view), texts.epochs(view), *texts.counts(view)]
    if view.ended is not None:
        told[1] = told[1].rpartition("   ")[0]
    best = texts.best(view.best, view.objective[0]).removeprefix("best").lstrip(": ")
    return [("search", _dotted("   ".join(told))), ("best", _dotted(best))]


def _training(view: View) -> list[tuple[str, str]]:
    if not view.running:
        return [("training", "waiting for a worker")]
    return [("training", _trial(one)) for one in view.running[:_MOST_RUNNING]]


def _trial(running: Running) -> str:
    told = _dotted(texts.training(running).replace("  ", "   "))
    curve, about = sparkline(running.curve, _CURVE), escape(texts.values(running.config))
    return f"{told} <code>{curve}</code> {about}"


def _summary(view: View) -> list[tuple[str, str]]:
    rows = []
    if view.best is not None:
        rows.append(("values", f"<code>{escape(str(view.best.config))}</code>"))
    rows.append(("ended", escape(texts.ending(view).removeprefix("ended: "))))
    if view.best is not None:
        rows.append(("report", "<code>tuner.report()</code>"))
    rows.append(("study", f"<code>kerashpo.open_study({escape(repr(view.folder))})</code>"))
    return rows


def _dotted(text: str) -> str:
    """Returns escaped text with dots for its gaps, which HTML would close."""
    return escape(text).replace("   ", " · ")


def _bar(share: float | None) -> str:
    """An inline picture in the text's own colour, so that it fits any theme."""
    if share is None:
        return ""
    return (
        '<br><svg width="480" height="8" role="img" aria-label="epochs done">'
        '<rect width="480" height="8" fill="currentColor" opacity="0.15"/>'
        f'<rect width="{480 * share:.0f}" height="8" fill="currentColor" opacity="0.7"/></svg>'
    )
