"""Who trained what when: one lane a worker, one bar a stretch of training."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kerashpo.core.history import History
from kerashpo.core.trial import Trial
from kerashpo.plots.style import MANY, Say, axes, colour, empty, english, shades, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GAP = 1e-6
_FEW = 20


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch in which one trial was trained without a break, by one worker.

    Attributes:
        trial: which trial.
        begin: seconds of search.
        end: seconds of search.
        first: its first epoch.
        last: its last epoch.
    """

    trial: int
    begin: float
    end: float
    first: int
    last: int


def spans(history: History) -> list[Span]:
    """Returns the stretches of all trials, by their begin."""
    found = [span for trial in history.trials.values() for span in _of(trial)]
    return sorted(found, key=lambda span: (span.begin, span.trial))


def lanes(stretches: list[Span]) -> list[int]:
    """Returns a lane for each stretch so that none overlap: the lowest that is free.

    There are as many lanes as were ever busy at once, which is how many workers worked.
    """
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    chosen = []
    for span in stretches:
        while busy and busy[0][0] <= span.begin + _GAP * max(1.0, span.begin):
            heapq.heappush(free, heapq.heappop(busy)[1])
        lane = heapq.heappop(free) if free else len(busy)
        heapq.heappush(busy, (span.end, lane))
        chosen.append(lane)
    return chosen


def draw_gantt(history: History, ax: Axes | None = None, say: Say = english) -> Axes:
    """Draws each worker's work; bars of equal colour reach the same epoch."""
    ax = axes(ax)
    found = spans(history)
    if not found:
        return empty(ax, say("no epoch was trained yet"))
    aims = [_aim(history, span) for span in found]
    levels = sorted(set(aims))
    rows = lanes(found)
    few = len(levels) <= 8
    for level, shade in zip(levels, shades(len(levels)) if few else [colour(0)] * len(levels)):
        mine = [(s, row) for s, row, aim in zip(found, rows, aims) if aim == level]
        label = say("epoch {epoch}").format(epoch=level)
        _draw_bars(mine, shade, label, len(found) > MANY, ax)
    ax.set(xlabel=say("seconds of search"), ylabel=say("worker"), ylim=(max(rows) + 0.6, -0.6))
    if max(rows) < _FEW:
        ax.set_yticks(range(max(rows) + 1), [str(row + 1) for row in range(max(rows) + 1)])
    if few:
        # Beside the bars, which fill the whole width.
        ax.legend(
            frameon=False,
            title=say("trained to"),
            fontsize="small",
            loc="upper left",
            bbox_to_anchor=(1.0, 1.0),
        )
    return tidy(ax)


def _aim(history: History, span: Span) -> int:
    """Returns the rung that a stretch was part of the way to."""
    targets = history.trials[span.trial].targets
    return next((target for target in targets if target >= span.last), span.last)


def _draw_bars(bars: list[tuple[Span, int]], shade: Any, label: str, many: bool, ax: Axes) -> None:
    from matplotlib.collections import PolyCollection

    corners = [
        [(s.begin, row - 0.4), (s.end, row - 0.4), (s.end, row + 0.4), (s.begin, row + 0.4)]
        for s, row in bars
    ]
    bars_drawn = PolyCollection(
        corners,
        facecolors=[shade],
        edgecolors="none" if many else "white",
        linewidths=0.3,
        label=label,
        rasterized=many,
    )
    ax.add_collection(bars_drawn)
    ax.autoscale_view()


def _of(trial: Trial) -> list[Span]:
    """Returns a trial's stretches.

    Compiled epochs are reported several at once, so that an epoch's report alone does not say
    when it began: a stretch began at the latest when all of its training so far fits before
    each of its reports.
    """
    found: list[Span] = []
    spent: dict[int, float] = {}
    for stretch in filter(None, trial.stretches):
        before = sum(spent.values())
        begins = []
        for run, epoch in stretch:
            spent[run] = trial.reports[run][epoch].seconds
            begins.append(trial.times[run, epoch] - max(0.0, sum(spent.values()) - before))
        epochs = [epoch for _, epoch in stretch]
        end = trial.times[stretch[-1]]
        found.append(Span(trial.number, min(begins), end, min(epochs), max(epochs)))
    return found
