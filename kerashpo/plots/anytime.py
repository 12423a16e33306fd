"""Anytime performance: the best value against epochs, trials or seconds, for several searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kerashpo.analysis.anytime import Numbers, Trace, mean_trace
from kerashpo.i18n.texts import ENGLISH, Labels
from kerashpo.plots.style import axes, colour, empty, line, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


CROWD = 3
"""With more searches than this their single seeds are not drawn."""
_LEAST_RATIO = 8.0
"""A shorter range is drawn evenly: a logarithm would leave it with one tick or none."""


def grid_of(traces: Sequence[Trace], points: int = 200) -> Numbers:
    """Returns costs (points,) from the first at which all traces have a value to the last."""
    begin = max(float(one.x[0]) for one in traces)
    end = max(one.end for one in traces)
    return np.geomspace(max(begin, 1e-6), max(end, begin, 1e-6), points)


def draw_anytime(
    series: Mapping[str, Sequence[Trace]],
    xlabel: str,
    ylabel: str,
    ax: Axes | None = None,
    say: Labels = ENGLISH,
) -> Axes:
    """Draws, for each name, the mean best value over its traces.

    Each trace is drawn thinly too, unless there are more than `CROWD` names.

    Args:
        series: for each search the traces of its seeds.
        xlabel: label of the cost.
        ylabel: label of the value.
        ax: the Axes to draw on.
        say: the reader's language.
    """
    ax = axes(ax, say("Best value so far"))
    known = {name: [t for t in traces if len(t.x)] for name, traces in series.items()}
    if not any(known.values()):
        return empty(ax, say("no trial has a score yet"))
    for index, (name, traces) in enumerate(known.items()):
        if traces:
            _draw_one(name, traces, index, len(known) <= CROWD, ax)
    _scale(ax, [trace for traces in known.values() for trace in traces], say)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    falls = all(traces[0].y[0] >= traces[0].y[-1] for traces in known.values() if traces)
    ax.legend(frameon=False, loc="upper right" if falls else "lower right")
    return tidy(ax, say)


def _draw_one(name: str, traces: list[Trace], index: int, thin: bool, ax: Axes) -> None:
    look: dict[str, Any] = {"color": colour(index), "linestyle": line(index)}
    if len(traces) > 1:
        for one in traces if thin else ():
            x, y = np.append(one.x, one.end), np.append(one.y, one.y[-1])
            ax.step(x, y, where="post", linewidth=0.6, alpha=0.35, color=look["color"])
        grid = grid_of(traces)
        ax.plot(grid, mean_trace(traces, grid), linewidth=2, label=name, **look)
        return
    one = traces[0]
    x, y = np.append(one.x, one.end), np.append(one.y, one.y[-1])
    # A single trial, or epoch, is a point: a line of no length would not be seen.
    marker = "o" if np.ptp(x) == 0 else None
    ax.step(x, y, where="post", linewidth=2, label=name, marker=marker, **look)


def _scale(ax: Axes, traces: Sequence[Trace], say: Labels) -> None:
    """Makes the cost axis logarithmic where it is long, with plain numbers as ticks."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    begin = min(float(one.x[0]) for one in traces)
    ratio = max(one.end for one in traces) / begin if begin > 0 else 0.0
    if ratio < _LEAST_RATIO:
        return
    ax.set_xscale("log")
    steps = (1.0, 2.0, 5.0) if ratio < 50 else (1.0, 3.0) if ratio < 1000 else (1.0,)
    ax.xaxis.set_major_locator(LogLocator(subs=steps, numticks=6))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: say.number(f"{value:g}")))
