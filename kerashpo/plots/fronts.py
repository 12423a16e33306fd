"""Pareto fronts of several searches: their points, and the front that half of the seeds attain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kerashpo.analysis.fronts import Numbers, attainment
from kerashpo.core.records import Objective
from kerashpo.i18n.texts import ENGLISH, Labels
from kerashpo.plots.style import axes, colour, empty, legend, line, literal, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKS = "osD^vPX"
_WIDE = 30.0
"""Positive values whose ratio is larger get a logarithmic axis."""


def draw_fronts(
    series: Mapping[str, Sequence[Numbers]],
    objectives: Sequence[Objective],
    ax: Axes | None = None,
    say: Labels = ENGLISH,
) -> Axes:
    """Draws for each name the points of its fronts, and their median attainment curve.

    Args:
        series: by name an array (n, 2) for each seed, values in two objectives.
        objectives: the two: the first one across, the second upwards.
        ax: the Axes to draw on.
        say: the reader's language.
    """
    ax = axes(ax, say("Pareto fronts"))
    if not any(len(front) for fronts in series.values() for front in fronts):
        return empty(ax, say("no trial has a score yet"))
    x, y = objectives
    for index, (name, fronts) in enumerate(series.items()):
        points = np.concatenate(list(fronts))
        mark = _MARKS[index % len(_MARKS)]
        ax.scatter(points[:, 0], points[:, 1], s=12, alpha=0.55, color=colour(index), marker=mark)
        curve = attainment(fronts, objectives)
        ax.step(
            curve[:, 0],
            curve[:, 1],
            where="post",
            linewidth=1.8,
            color=colour(index),
            linestyle=line(index),
            marker=mark,
            markersize=4,
            label=literal(name),
        )
    tidy(ax, say)
    whole = np.concatenate([front for fronts in series.values() for front in fronts])
    for place, (one, axis) in enumerate(((x, "x"), (y, "y"))):
        better = say("less is better") if one.direction == "min" else say("more is better")
        name = literal(one.name.removeprefix("val_"))
        getattr(ax, f"set_{axis}label")(f"{name} ({better})")
        low, high = whole[:, place].min(), whole[:, place].max()
        if low > 0 and high > _WIDE * low:
            getattr(ax, f"set_{axis}scale")("log")
    legend(ax)
    return ax
