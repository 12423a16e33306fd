"""Parallel coordinates: a line for each trial through its values to its score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kerashpo.analysis.design_matrix import DesignMatrix
from kerashpo.i18n.texts import ENGLISH, Labels
from kerashpo.plots.style import (
    MANY,
    axes,
    colour,
    empty,
    framed,
    ink,
    literal,
    ramp,
    short,
)
from kerashpo.plots.ticks import ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Numbers: TypeAlias = NDArray[np.float64]

ABSENT = -0.12
"""The height of a parameter that a trial does not have."""
MOST = 8
"""More parameters than this are not legible beside each other."""


def lines_of(matrix: DesignMatrix, columns: Sequence[int]) -> tuple[Numbers, tuple[float, float]]:
    """Returns heights (n, k + 1), worst trial first, the score last; and the scores' limits."""
    low, high = framed(matrix.scores)
    height = np.clip((matrix.scores - low) / (high - low if high > low else 1.0), 0.0, 1.0)
    rows = np.where(np.isnan(matrix.rows), ABSENT, matrix.rows)[:, list(columns)]
    order = np.argsort(matrix.ranks, kind="stable")
    return np.column_stack([rows, height])[order], (low, high)


def draw_parallel(
    matrix: DesignMatrix, columns: Sequence[int], ax: Axes | None = None, say: Labels = ENGLISH
) -> Axes:
    """Draws each trial as a line; the best tenth is thick and lies on top.

    Args:
        matrix: the trials.
        columns: the parameters, from left to right.
        ax: the Axes to draw on.
        say: the reader's language.
    """
    ax = axes(ax, say("Parallel coordinates"))
    if not len(matrix.scores):
        return empty(ax, say("no trial has a score yet"))
    heights, limits = lines_of(matrix, columns)
    _lines(ax, heights)
    places = range(len(columns) + 1)
    for place, column in zip(places, columns):
        _upright(ax, place, ticks(matrix.domains[column], say))
        if np.isnan(matrix.rows[:, column]).any():
            _write(ax, place, ABSENT, say("absent"))
    ends = [(0.0, short(limits[0], say)), (1.0, short(limits[1], say))]
    _upright(ax, len(columns), ends)
    names = [*(matrix.names[column] for column in columns), matrix.objective.name]
    texts = [literal(name) for name in names]
    ax.set_xticks(list(places), texts, rotation=35, ha="right", rotation_mode="anchor")
    ax.set_xlim(-0.15, len(columns) + 0.45)
    ax.set_ylim(float(heights.min()) - 0.05, 1.05)
    ax.set_yticks([])
    ax.spines[["top", "right", "left", "bottom"]].set_visible(False)
    ax.tick_params(length=0)
    return ax


def _lines(ax: Axes, heights: Numbers) -> None:
    from matplotlib.collections import LineCollection

    count, width = heights.shape
    many = count > MANY
    points = [np.column_stack([np.arange(width), row]) for row in heights]
    best = count - max(count // 10, 1)
    others = LineCollection(
        points[:best],
        colors=ramp(np.linspace(0.0, 1.0, max(best, 1))[:best]),
        alpha=0.08 if many else 0.55,
        linewidths=0.8,
        rasterized=many,
    )
    ax.add_collection(others)
    # Distinct in grey print as well: by their width and by lying on top.
    look: dict[str, Any] = {"alpha": 0.25 if many else 0.9, "linewidths": 0.8 if many else 1.6}
    ax.add_collection(LineCollection(points[best:], colors=[colour(5)], rasterized=many, **look))


def _upright(ax: Axes, place: int, labels: Sequence[tuple[float, str]]) -> None:
    ax.plot([place, place], [0, 1], color=ink(), linewidth=0.8)
    for height, text in labels:
        _write(ax, place, height, text)


def _write(ax: Axes, place: int, height: float, text: str) -> None:
    ax.annotate(
        text,
        (place, height),
        xytext=(2, 0),
        textcoords="offset points",
        va="center",
        fontsize="x-small",
        bbox={"facecolor": _page(), "alpha": 0.7, "edgecolor": "none", "pad": 0.8},
    )


def _page() -> str:
    import matplotlib as mpl

    return str(mpl.rcParams["axes.facecolor"])
