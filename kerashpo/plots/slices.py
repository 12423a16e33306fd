"""The score against one parameter each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kerashpo.analysis.design_matrix import DesignMatrix
from kerashpo.analysis.forest import Forest
from kerashpo.plots.style import (
    MANY,
    Say,
    colour,
    empty,
    english,
    frame,
    legend,
    literal,
    panels,
    tidy,
)
from kerashpo.plots.ticks import write_marks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 61


def draw_slices(
    known: DesignMatrix,
    columns: Sequence[int],
    forest: Forest | None = None,
    axes: Sequence[Axes] | None = None,
    say: Say = english,
) -> list[Axes]:
    """Draws every trial's score against its value of a parameter, a panel for each.

    Trials that were trained as long as any are filled, those stopped before are hollow. The
    line is what a forest expects at the most epochs, averaged over the other parameters.

    Args:
        known: the trials.
        columns: which parameters.
        forest: what draws the line; None for none.
        axes: where to draw, one for each parameter.
        say: the reader's language.
    """
    made = panels(max(len(columns), 1), axes)
    if not len(known.scores) or not columns:
        for spare in made[1:]:
            spare.set_axis_off()
        return [empty(made[0], say("no trial has a score yet"))]
    for place, (ax, column) in enumerate(zip(made, columns)):
        _points(ax, known, column, say)
        if forest is not None:
            _line(ax, forest, column, say)
        write_marks(ax, "x", known.domains[column], room=12)
        ax.tick_params(axis="x", labelsize="x-small")
        ax.set_xlabel(literal(known.names[column]))
        frame(ax, known.scores, say, note=place == 0)
        tidy(ax)
    made[0].set_ylabel(literal(known.objective.name))
    legend(made[0], len(known.scores) > MANY, fontsize="x-small")
    return made


def _points(ax: Axes, known: DesignMatrix, column: int, say: Say) -> None:
    many = len(known.scores) > MANY
    full = known.full
    # Values of a choice lie on top of each other: spread them within their cell.
    levels = known.domains[column].levels
    spread = 0.5 / levels if 0 < levels <= 12 else 0.0
    # The golden ratio's multiples fill an interval evenly, and are the same each time.
    jitter = spread * (np.modf(known.trials * 0.6180339887)[0] - 0.5)
    x, y = known.rows[:, column] + jitter, known.scores
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
                linewidths=0.5,
                alpha=0.3 if many else 0.7,
                rasterized=many,
                label=label,
            )


def _line(ax: Axes, forest: Forest, column: int, say: Say) -> None:
    at = np.linspace(0.0, 1.0, _POINTS)
    mean, deviation = forest.marginal([column], [at])
    ax.plot(at, mean, color=colour(5), linewidth=1.5, label=say("expected"))
    ax.fill_between(at, mean - deviation, mean + deviation, color=colour(5), alpha=0.2, linewidth=0)
