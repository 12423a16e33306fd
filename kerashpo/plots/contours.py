"""The expected score over two parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kerashpo.analysis.design_matrix import DesignMatrix
from kerashpo.analysis.forest import LEAST, Forest
from kerashpo.plots.style import MANY, SCALE, Say, axes, empty, english, literal
from kerashpo.plots.ticks import write_marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CELLS = 40


def draw_contours(
    known: DesignMatrix,
    forest: Forest | None,
    x: int,
    y: int,
    ax: Axes | None = None,
    say: Say = english,
) -> Axes:
    """Draws what a forest expects over a pair, averaged over the others, and the trials.

    Args:
        known: the trials.
        forest: None where there were too few trials.
        x: the column across.
        y: the column upwards.
        ax: where to draw.
        say: the reader's language.
    """
    ax = axes(ax)
    if forest is None:
        text = say("contours need at least {count} trials with different scores")
        return empty(ax, text.format(count=LEAST))
    ends = np.linspace(0.0, 1.0, _CELLS + 1)
    middle = (ends[1:] + ends[:-1]) / 2
    mean, _ = forest.marginal([x, y], [middle, middle])
    drawn = ax.pcolormesh(ends, ends, mean.T, cmap=SCALE, rasterized=True)
    many = len(known.scores) > MANY
    ax.scatter(
        known.rows[:, x],
        known.rows[:, y],
        s=3 if many else 14,
        facecolors="white",
        edgecolors="black",
        linewidths=0.3 if many else 0.6,
        rasterized=many,
    )
    write_marks(ax, "x", known.domains[x])
    write_marks(ax, "y", known.domains[y])
    ax.set_xlabel(literal(known.names[x]))
    ax.set_ylabel(literal(known.names[y]))
    label = say("expected {metric}").format(metric=literal(known.objective.name))
    ax.figure.colorbar(drawn, ax=ax, label=label)
    return ax
