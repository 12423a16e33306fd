"""The best value against what was spent, several searches beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kerashpo.analysis.anytime import Numbers, Trace, mean_trace
from kerashpo.plots.style import axes, colour, empty, line, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


CROWD = 3


def grid_of(traces: Sequence[Trace], points: int = 200) -> Numbers:
    """Returns amounts from the first value known everywhere to the longest end (points,)."""
    begin = max(float(one.x[0]) for one in traces)
    end = max(one.end for one in traces)
    return np.geomspace(max(begin, 1e-6), max(end, begin, 1e-6), points)


def draw_anytime(
    series: Mapping[str, Sequence[Trace]],
    xlabel: str,
    ylabel: str,
    ax: Axes | None = None,
) -> Axes:
    """Draws, for each name, the mean best value over its traces.

    Each trace is drawn thinly too, unless there are more than `CROWD` names.

    Args:
        series: for each search the traces of its seeds.
        xlabel: what was spent.
        ylabel: what is best.
        ax: where to draw.
    """
    from matplotlib.ticker import NullFormatter

    ax = axes(ax)
    known = {name: [t for t in traces if len(t.x)] for name, traces in series.items()}
    if not any(known.values()):
        return empty(ax, "-")
    for index, (name, traces) in enumerate(known.items()):
        if traces:
            _draw_one(name, traces, index, len(known) <= CROWD, ax)
    # Most of what happens, happens early.
    ax.set_xscale("log")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    falls = all(traces[0].y[0] >= traces[0].y[-1] for traces in known.values() if traces)
    ax.legend(frameon=False, loc="upper right" if falls else "lower right")
    return tidy(ax)


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
    ax.step(x, y, where="post", linewidth=2, label=name, **look)
