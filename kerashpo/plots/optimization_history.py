"""Optimisation history: the score of every trial, and the best so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kerashpo.analysis.anytime import Numbers, trace
from kerashpo.core.history import History
from kerashpo.i18n.texts import ENGLISH, Labels
from kerashpo.plots.style import MANY, axes, colour, empty, frame, legend, literal, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def scores(history: History) -> tuple[Numbers, Numbers]:
    """Returns numbers (n,) and scores (n,) of the trials that have a score."""
    pairs = [(t.number, t.score) for t in history.trials.values() if t.score is not None]
    if not pairs:
        return np.zeros(0), np.zeros(0)
    table = np.array(pairs, dtype=float)
    return table[:, 0], table[:, 1]


def draw_history(history: History, ax: Axes | None = None, say: Labels = ENGLISH) -> Axes:
    """Draws each trial's score as a point and the best so far as a step function."""
    from matplotlib.ticker import MaxNLocator

    ax = axes(ax, say("Score of every trial"))
    x, y = scores(history)
    if not len(x):
        return empty(ax, say("no trial has a score yet"))
    best = trace(history, "trials")
    small = len(x) > MANY
    ax.scatter(
        x,
        y,
        s=4 if small else 16,
        color=colour(0),
        alpha=0.6,
        label=say("trials"),
        rasterized=small,
    )
    steps = np.append(best.x - 1, len(history.trials) - 1)
    y_best = np.append(best.y, best.y[-1])
    ax.step(steps, y_best, where="post", color=colour(5), label=say("best so far"))
    frame(ax, y, say)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlabel(say("trial"))
    ax.set_ylabel(literal(history.objective.name))
    legend(ax, small)
    return tidy(ax, say)
