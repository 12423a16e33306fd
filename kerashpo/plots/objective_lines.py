"""Parallel coordinates over objectives: a line for each trial through its values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kerashpo.analysis.pareto import Tradeoff
from kerashpo.i18n.texts import ENGLISH, Labels
from kerashpo.plots.style import axes, colour, empty, ink, legend, literal, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_objectives(tradeoff: Tradeoff, ax: Axes | None = None, say: Labels = ENGLISH) -> Axes:
    """Draws feasible trials as lines through their objectives, the better value of each on top.

    Trials on the Pareto front are thick, its knee is dashed.

    Args:
        tradeoff: the trials' values.
        ax: where to draw.
        say: the reader's language.
    """
    from matplotlib.collections import LineCollection

    ax = axes(ax, say("Objectives"))
    values = tradeoff.values[tradeoff.feasible]
    if not len(values):
        return empty(ax, say("no trial has a score yet"))
    places = np.arange(len(tradeoff.objectives))
    worst, best = values.min(axis=0), values.max(axis=0)
    for place, objective in enumerate(tradeoff.objectives):
        if objective.direction == "min":
            worst[place], best[place] = best[place], worst[place]
    span = np.where(best != worst, best - worst, 1.0)
    heights = (values - worst) / span
    front = tradeoff.front[tradeoff.feasible]
    for mask, width, shade, name in (
        (~front, 0.7, colour(6), say("trials")),
        (front, 1.6, colour(5), say("Pareto front")),
    ):
        lines = [np.column_stack([places, row]) for row in heights[mask]]
        alpha = 0.5 if mask is not front else 0.9
        ax.add_collection(
            LineCollection(lines, colors=[shade], linewidths=width, alpha=alpha, label=name)
        )
    if tradeoff.knee is not None:
        row = (tradeoff.values[tradeoff.knee] - worst) / span
        ax.plot(places, row, color=ink(), linestyle="--", linewidth=1.6, label=say("knee"))
    for place in places.tolist():
        ax.plot([place, place], [0, 1], color=ink(), linewidth=0.8, zorder=0)
        for height, value in ((0.0, worst[place]), (1.0, best[place])):
            below = height == 0.0
            ax.annotate(
                short(float(value), say),
                (place, height),
                xytext=(0, -4 if below else 4),
                textcoords="offset points",
                ha="center",
                va="top" if below else "bottom",
                fontsize="x-small",
            )
    ax.set_xticks(places, [literal(one.name) for one in tradeoff.objectives])
    ax.set_ylabel(say("better, within the range of the trials"))
    ax.set_xlim(-0.4, len(places) - 0.6)
    ax.set_ylim(-0.12, 1.14)
    ax.set_yticks([])
    ax.spines[["top", "right", "left", "bottom"]].set_visible(False)
    ax.tick_params(length=0)
    legend(ax, False)
    return ax
