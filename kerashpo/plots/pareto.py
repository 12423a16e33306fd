"""Two respects against each other, and the trials that no other beats in both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kerashpo.analysis.pareto import Tradeoff
from kerashpo.plots.style import (
    MANY,
    Say,
    axes,
    colour,
    empty,
    english,
    legend,
    literal,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_pareto(found: Tradeoff, ax: Axes | None = None, say: Say = english) -> Axes:
    """Draws the first respect across, the second upwards; the front is joined by a staircase.

    Args:
        found: trials in two respects.
        ax: where to draw.
        say: the reader's language.
    """
    ax = axes(ax)
    if not len(found.trials):
        return empty(ax, say("no trial has a score yet"))
    x, y = found.objectives
    many = len(found.trials) > MANY
    beaten = found.values[~found.front]
    ax.scatter(
        beaten[:, 0],
        beaten[:, 1],
        s=4 if many else 14,
        color=colour(6),
        alpha=0.5,
        rasterized=many,
        label=say("trials"),
    )
    front = found.values[found.front]
    front = front[np.argsort(front[:, 0], kind="stable")]
    # Between two of its trials nothing better is known than the worse of both.
    ax.step(
        front[:, 0],
        front[:, 1],
        where="post" if x.direction == "min" else "pre",
        color=colour(5),
        linewidth=1.2,
    )
    ax.scatter(front[:, 0], front[:, 1], s=24, color=colour(5), zorder=3, label=say("Pareto front"))
    ax.set_xlabel(_label(x.name, x.direction, say))
    ax.set_ylabel(_label(y.name, y.direction, say).replace(" (", "\n("))
    legend(ax, many)
    return tidy(ax)


def _label(name: str, direction: str, say: Say) -> str:
    told = say("seconds of training") if name == "seconds" else literal(name)
    return f"{told} ({say('less is better') if direction == 'min' else say('more is better')})"
