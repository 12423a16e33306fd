"""Slices: the score against one parameter each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kerashpo.analysis.design_matrix import DesignMatrix
from kerashpo.analysis.forest import Forest
from kerashpo.i18n.texts import ENGLISH, Labels
from kerashpo.plots.style import (
    MANY,
    colour,
    empty,
    frame,
    legend,
    literal,
    panels,
    room_outside,
    tidy,
)
from kerashpo.plots.ticks import set_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 61


def draw_slices(
    matrix: DesignMatrix,
    columns: Sequence[int],
    forest: Forest | None = None,
    axes: Sequence[Axes] | None = None,
    say: Labels = ENGLISH,
) -> list[Axes]:
    """Draws every trial's score against its value of a parameter, a panel for each.

    Trials that were trained to the most epochs are filled, those stopped before are hollow. The
    line is the forest's marginal at the most epochs.

    Args:
        matrix: the trials.
        columns: the parameters.
        forest: the forest that draws the line; None for no line.
        axes: where to draw, one for each parameter.
        say: the reader's language.
    """
    made = panels(max(len(columns), 1), axes, say("Score against each parameter"))
    if not len(matrix.scores) or not columns:
        for spare in made[1:]:
            spare.set_axis_off()
        return [empty(made[0], say("no trial has a score yet"))]
    for place, (ax, column) in enumerate(zip(made, columns)):
        _points(ax, matrix, column, say)
        if forest is not None:
            _line(ax, forest, column, say)
        set_ticks(ax, "x", matrix.domains[column], say, room=12)
        ax.tick_params(axis="x", labelsize="x-small")
        ax.set_xlabel(literal(matrix.names[column]))
        frame(ax, matrix.scores, say, with_note=place == 0)
        tidy(ax, say)
    made[0].set_ylabel(literal(matrix.objective.name))
    _legend(made[0], len(matrix.scores) > MANY)
    return made


def _legend(ax: Axes, many: bool) -> None:
    """Writes one legend for all panels: below the figure where its layout makes room."""
    if not room_outside(ax):
        legend(ax, many, fontsize="x-small")
        return
    handles, labels = ax.get_legend_handles_labels()
    ax.figure.legend(
        handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize="small"
    )


def _points(ax: Axes, matrix: DesignMatrix, column: int, say: Labels) -> None:
    many = len(matrix.scores) > MANY
    full = matrix.full
    # Values of a choice lie on top of each other: spread them within their cell.
    levels = matrix.domains[column].levels
    spread = 0.5 / levels if 0 < levels <= 12 else 0.0
    # The golden ratio's multiples fill an interval evenly, and are the same each time.
    jitter = spread * (np.modf(matrix.trials * 0.6180339887)[0] - 0.5)
    x, y = matrix.rows[:, column] + jitter, matrix.scores
    for chosen, filled, label in (
        (~full, False, say("stopped before")),
        (full, True, say("trained fully")),
    ):
        if chosen.any():
            ax.scatter(
                x[chosen],
                y[chosen],
                s=3 if many else 12,
                facecolors=colour(0) if filled else "none",
                edgecolors=colour(0),
                linewidths=0.6,
                alpha=0.3 if many else 0.8,
                rasterized=many,
                label=label,
            )


def _line(ax: Axes, forest: Forest, column: int, say: Labels) -> None:
    at = np.linspace(0.0, 1.0, _POINTS)
    mean, deviation = forest.marginal([column], [at])
    ax.plot(at, mean, color=colour(5), linewidth=1.5, label=say("expected"))
    ax.fill_between(at, mean - deviation, mean + deviation, color=colour(5), alpha=0.2, linewidth=0)
