"""Gantt chart of the workers: one lane per worker, one bar per training segment."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kerashpo.core.history import History
from kerashpo.core.trial import Trial
from kerashpo.i18n.texts import ENGLISH, Labels
from kerashpo.plots.style import MANY, axes, colour, empty, legend, shades, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GAP = 1e-6
_FEW = 20


@dataclass(frozen=True, slots=True)
class Span:
    """A segment in which one worker trained one trial without interruption.

    Attributes:
        trial: the trial's number.
        begin: seconds of search.
        end: seconds of search.
        first: its first epoch.
        last: its last epoch.
        node: its worker's machine; empty for the search's own, or if unknown.
    """

    trial: int
    begin: float
    end: float
    first: int
    last: int
    node: str = ""


def spans(history: History) -> list[Span]:
    """Returns the training segments of all trials, by their begin."""
    every = [span for trial in history.trials.values() for span in _of(trial)]
    return sorted(every, key=lambda span: (span.begin, span.trial))


def lanes(segments: list[Span]) -> list[int]:
    """Returns a lane for each segment so that none overlap: the lowest that is free.

    The number of lanes is the most workers that were busy at the same time.
    """
    free: list[int] = []
    busy: list[tuple[float, int]] = []
    chosen = []
    for span in segments:
        while busy and busy[0][0] <= span.begin + _GAP * max(1.0, span.begin):
            heapq.heappush(free, heapq.heappop(busy)[1])
        lane = heapq.heappop(free) if free else len(busy)
        heapq.heappush(busy, (span.end, lane))
        chosen.append(lane)
    return chosen


def lanes_by_node(segments: list[Span]) -> tuple[list[int], list[str]]:
    """Returns a lane for each segment, the lanes of a machine side by side, and their labels."""
    chosen, labels = [0] * len(segments), list[str]()
    for node in sorted({span.node for span in segments}):
        mine = [i for i, span in enumerate(segments) if span.node == node]
        rows = lanes([segments[i] for i in mine])
        for i, row in zip(mine, rows):
            chosen[i] = len(labels) + row
        prefix = f"{node} " if node else ""
        labels += [f"{prefix}{row + 1}" for row in range(max(rows) + 1)]
    return chosen, labels


def draw_gantt(history: History, ax: Axes | None = None, say: Labels = ENGLISH) -> Axes:
    """Draws each worker's segments; bars of equal colour train to the same epoch."""
    ax = axes(ax, say("Workers over time"))
    segments = spans(history)
    if not segments:
        return empty(ax, say("no epoch was trained yet"))
    aims = [_target(history, span) for span in segments]
    levels = sorted(set(aims))
    rows, names = lanes_by_node(segments)
    few = len(levels) <= 8
    for level, shade in zip(levels, shades(len(levels)) if few else [colour(0)] * len(levels)):
        bars = [(s, row) for s, row, aim in zip(segments, rows, aims) if aim == level]
        label = say("epoch {epoch}").format(epoch=level)
        _draw_bars(bars, shade, label, len(segments) > MANY, ax)
    ax.set(xlabel=say("seconds of search"), ylabel=say("worker"), ylim=(max(rows) + 0.6, -0.6))
    if max(rows) < _FEW:
        ax.set_yticks(range(max(rows) + 1), names)
    if few:
        # Beside the bars, which fill the whole width.
        place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
        legend(ax, title=say("trained to"), **place)
    return tidy(ax, say)


def _target(history: History, span: Span) -> int:
    """Returns the rung up to which a segment trains."""
    targets = history.trials[span.trial].targets
    return next((target for target in targets if target >= span.last), span.last)


def _draw_bars(bars: list[tuple[Span, int]], shade: Any, label: str, many: bool, ax: Axes) -> None:
    from matplotlib.collections import PolyCollection

    corners = [
        [(s.begin, row - 0.4), (s.end, row - 0.4), (s.end, row + 0.4), (s.begin, row + 0.4)]
        for s, row in bars
    ]
    collection = PolyCollection(
        corners,
        facecolors=[shade],
        edgecolors="none" if many else "white",
        linewidths=0.3,
        label=label,
        rasterized=many,
    )
    ax.add_collection(collection)
    ax.autoscale_view()


def _of(trial: Trial) -> list[Span]:
    """Returns a trial's segments.

    Compiled epochs are reported several at a time, so an epoch's report alone does not say
    when it began: a segment began at the latest when all of its training so far fits before
    each of its reports.
    """
    result: list[Span] = []
    spent: dict[int, float] = {}
    for segment, node in zip(trial.segments, trial.nodes):
        if not segment:
            continue
        before = sum(spent.values())
        begins = []
        for run, epoch in segment:
            spent[run] = trial.reports[run][epoch].seconds
            begins.append(trial.times[run, epoch] - max(0.0, sum(spent.values()) - before))
        epochs = [epoch for _, epoch in segment]
        end = trial.times[segment[-1]]
        result.append(Span(trial.number, min(begins), end, min(epochs), max(epochs), node))
    return result
