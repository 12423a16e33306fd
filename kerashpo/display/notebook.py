"""`NotebookDisplay`: one cell output, updated in place at most every two seconds."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from html import escape
from typing import Any, final

from kerashpo.core.events import Event, FleetChanged, Noted, Reported, SessionEnded, SessionStarted
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.display import text
from kerashpo.display.chart import Staircase, chart
from kerashpo.display.progress import Progress
from kerashpo.display.snapshot import Running, View
from kerashpo.display.sparkline import sparkline
from kerashpo.i18n.texts import Texts

_EVERY = 2.0
_MOST_RUNNING = 8
_MOST_NOTES = 4
_CURVE = 16


@final
class NotebookDisplay(Listener):
    """Shows a small table and a chart through IPython's display handle; no widgets.

    After the search the cell holds the summary, so that a saved notebook shows it.

    Args:
        progress: the numbers to show.
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
        self._clock, self._texts = clock, progress.texts
        self._stairs = Staircase()
        self._handle: Any = None
        self._drawn = 0.0
        self._notes: deque[str] = deque(maxlen=_MOST_NOTES)

    def on_event(self, event: Event, snapshot: History) -> None:
        self._progress.update(event, snapshot)
        match event:
            case SessionStarted():
                self._stairs.load(snapshot)
                self._handle = self._display(self._page(snapshot), display_id=True)
                self._drawn = self._clock()
            case SessionEnded():
                self._draw(snapshot)
            case Noted() if note := text.note(event, self._texts):
                self._notes.append(note)
            case FleetChanged() if self._progress.fleet_note:
                self._notes.append(self._progress.fleet_note)
            case Reported():
                self._stairs.update(snapshot)
                if self._clock() - self._drawn >= _EVERY:
                    self._draw(snapshot)

    def _draw(self, history: History) -> None:
        self._drawn = self._clock()
        if self._handle is not None:
            self._handle.update(self._page(history))

    def _page(self, history: History) -> Any:
        view, words = self._progress.view(history), self._texts
        notes = (*self._progress.notes, *self._notes)
        return self._html(page(view, notes, chart(self._stairs, history, words), words))


def page(view: View, notes: tuple[str, ...], drawn: str, words: Texts) -> str:
    """Returns the cell: title, bar, numbers, the trials in training or the summary, the chart."""
    rows = [*_numbers(view, words)]
    rows += _training(view, words) if view.ended is None else _summary(view, words)
    rows += [("note", escape(note)) for note in notes]
    body = "".join(
        f'<tr><td style="text-align:left">{words(f"row.{label}")}</td>'
        f'<td style="text-align:left">{cell}</td></tr>'
        for label, cell in rows
    )
    title = _dotted(text.GAP.join(["kerashpo", *text.heading(view, words)]))
    bar = _bar(view.share, words)
    return f"<div><b>{title}</b>{bar}<table><tbody>{body}</tbody></table>{drawn}</div>"


def _numbers(view: View, words: Texts) -> list[tuple[str, str]]:
    parts = [text.trials(view, words), text.progress(view, words), *text.counts(view, words)]
    best = text.best(view, words)
    return [("search", _dotted(text.GAP.join(parts))), ("best", _dotted(best))]


def _training(view: View, words: Texts) -> list[tuple[str, str]]:
    if not view.running:
        return [("training", words("display.waiting"))]
    return [("training", _trial(one, words)) for one in view.running[:_MOST_RUNNING]]


def _trial(running: Running, words: Texts) -> str:
    place = _dotted(text.training(running, words).replace("  ", text.GAP))
    curve, about = sparkline(running.curve, _CURVE), escape(text.values(running.config))
    return f"{place} <code>{curve}</code> {about}"


def _summary(view: View, words: Texts) -> list[tuple[str, str]]:
    rows = []
    if view.best is not None:
        rows.append(("values", f"<code>{escape(str(view.best.config))}</code>"))
    rows += [("note", escape(note)) for note in text.view_notes(view, words)]
    rows.append(("ended", escape(text.ending(view, words))))
    if view.best is not None:
        rows.append(("report", f"<code>{escape(view.report)}</code>"))
    if view.folder is not None:
        opened = f"kerashpo.open_study({view.folder!r})"
        rows.append(("study", f"<code>{escape(opened)}</code>"))
    return rows


def _dotted(line: str) -> str:
    """Returns escaped text with dots for its gaps, which HTML would close."""
    return escape(line).replace(text.GAP, " · ")


def _bar(share: float | None, words: Texts) -> str:
    """Returns a progress bar as an inline SVG in the text's own colour, which fits any theme."""
    if share is None:
        return ""
    return (
        f'<br><svg width="480" height="8" role="img" aria-label="{words("chart.bar")}">'
        '<rect width="480" height="8" fill="currentColor" opacity="0.15"/>'
        f'<rect width="{480 * share:.0f}" height="8" fill="currentColor" opacity="0.7"/></svg>'
    )
