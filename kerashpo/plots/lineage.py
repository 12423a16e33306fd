"""Lineage of a population: parents, copies and their learning curves as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kerashpo.analysis.lineage import line_of
from kerashpo.core.history import History
from kerashpo.i18n.texts import ENGLISH, Labels
from kerashpo.plots.style import MANY, axes, colour, empty, legend, literal, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_lineage(history: History, ax: Axes | None = None, say: Labels = ENGLISH) -> Axes:
    """Draws each trial from where it was copied: its objective by epoch, joined to its parent's.

    The line of the best trial and its ancestors is thick, and a dot marks each copy.

    Args:
        history: the study.
        ax: the Axes to draw on.
        say: the reader's language.
    """
    ax = axes(ax, say("Lineage of the population"))
    line = {stage.trial for stage in line_of(history)} if history.best is not None else set()
    if not line:
        return empty(ax, say("no trial has a score yet"))
    labels = {True: say("best trial and its ancestors"), False: say("other trials")}
    for trial in sorted(history.trials.values(), key=lambda trial: trial.number in line):
        points = branch(history, trial.number)
        if not len(points):
            continue
        best = trial.number in line
        shade = colour(5 if best else 6)
        ax.plot(
            points[:, 0],
            points[:, 1],
            color=shade,
            linewidth=2.0 if best else 0.8,
            alpha=1.0 if best else 0.6,
            zorder=3 if best else 2,
            label=labels.pop(best, None),
        )
        if trial.parent is not None:
            ax.scatter(points[:1, 0], points[:1, 1], s=12, color=shade, zorder=4)
    ax.set(xlabel=say("epoch"), ylabel=literal(history.objective.name))
    legend(ax, len(history.trials) > MANY)
    return tidy(ax, say)


def branch(history: History, number: int) -> np.ndarray:
    """Returns (epoch, objective) of a trial (n, 2), its parent's at the epoch of the copy first."""
    trial = history.trials[number]
    points = [point for point in trial.curve() if np.isfinite(point[1])]
    if trial.parent is not None:
        before = dict(history.trials[trial.parent].curve())
        start = before.get(trial.forked_at, np.nan)
        points = [(trial.forked_at, start)] * bool(np.isfinite(start)) + points
    return np.array(points, dtype=float).reshape(-1, 2)
