"""The expected score over two parameters, by a random forest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kerashpo.analysis.design_matrix import DesignMatrix
from kerashpo.analysis.forest import LEAST, Forest
from kerashpo.i18n.texts import ENGLISH, Labels
from kerashpo.plots.style import MANY, SCALE, axes, empty, literal, number_format
from kerashpo.plots.ticks import set_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CELLS = 40


def draw_contours(
    matrix: DesignMatrix,
    forest: Forest | None,
    x: int,
    y: int,
    ax: Axes | None = None,
    say: Labels = ENGLISH,
) -> Axes:
    """Draws a forest's marginal over a pair of parameters, and the trials.

    Args:
        matrix: the trials.
        forest: None where there were too few trials.
        x: the column across.
        y: the column upwards.
        ax: the Axes to draw on.
        say: the reader's language.
    """
    ax = axes(ax, say("Expected score over two parameters"))
    if forest is None:
        text = say("contours need at least {count} trials with different scores")
        return empty(ax, text.format(count=LEAST))
    ends = np.linspace(0.0, 1.0, _CELLS + 1)
    middle = (ends[1:] + ends[:-1]) / 2
    mean, _ = forest.marginal([x, y], [middle, middle])
    drawn = ax.pcolormesh(ends, ends, mean.T, cmap=SCALE, rasterized=True)
    many = len(matrix.scores) > MANY
    ax.scatter(
        matrix.rows[:, x],
        matrix.rows[:, y],
        s=3 if many else 14,
        facecolors="white",
        edgecolors="black",
        linewidths=0.3 if many else 0.6,
        rasterized=many,
    )
    set_ticks(ax, "x", matrix.domains[x], say)
    set_ticks(ax, "y", matrix.domains[y], say)
    ax.set_xlabel(literal(matrix.names[x]))
    ax.set_ylabel(literal(matrix.names[y]))
    label = say("expected {metric}").format(metric=literal(matrix.objective.name))
    ax.figure.colorbar(drawn, ax=ax, label=label, format=number_format(say))
    return ax
