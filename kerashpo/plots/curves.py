"""Learning curves of all trials by the rung they reached, the best one standing out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kerashpo.analysis.anytime import Numbers
from kerashpo.core.history import History
from kerashpo.plots.style import (
    MANY,
    Say,
    axes,
    colour,
    empty,
    english,
    frame,
    legend,
    literal,
    shades,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_RUNGS = 8


@dataclass(frozen=True, slots=True)
class Curve:
    """A metric of one trial.

    Attributes:
        trial: which trial.
        rung: the epoch that its last job was to train through.
        points: (n, 2), epochs and values.
    """

    trial: int
    rung: int
    points: Numbers


def curves_of(history: History, metric: str) -> list[Curve]:
    """Returns the curve of every trial (of its first run) that logged the metric."""
    found = []
    for trial in history.trials.values():
        reports = trial.reports.get(0, {})
        pairs = [
            (e, reports[e].metrics[metric]) for e in sorted(reports) if metric in reports[e].metrics
        ]
        if pairs:
            found.append(Curve(trial.number, trial.targets[-1], np.array(pairs, dtype=float)))
    return found


def draw_curves(
    history: History, metric: str | None = None, ax: Axes | None = None, say: Say = english
) -> Axes:
    """Draws a metric by epoch, a thin line for each trial, its colour the rung it reached.

    Args:
        history: the study.
        metric: which one; None for the objective.
        ax: where to draw.
        say: the reader's language.
    """
    ax = axes(ax)
    name = metric or history.objective.name
    found = curves_of(history, name)
    if not found:
        return empty(ax, say("no epoch has logged {metric}").format(metric=literal(name)))
    best = None if history.best is None else history.best.number
    rungs = sorted({curve.rung for curve in found})
    groups = rungs if len(rungs) <= _MOST_RUNGS else [None]
    for rung, shade in zip(groups, shades(len(groups)) if len(groups) > 1 else [colour(0)]):
        mine = [c for c in found if rung in (None, c.rung)]
        text = say("to epoch {epoch} ({count} trials)").format(epoch=rung, count=len(mine))
        label = text if len(groups) > 1 else None
        _draw_group([c.points for c in mine if c.trial != best], shade, label, len(found), ax)
    for curve in found:
        if curve.trial == best:
            label = say("trial {number} (best)").format(number=best)
            marker = "o" if len(curve.points) == 1 else None
            ax.plot(*curve.points.T, label=label, marker=marker, color=colour(5), lw=2, zorder=3)
    frame(ax, np.concatenate([curve.points[:, 1] for curve in found]), say)
    ax.set_xlabel(say("epoch"))
    ax.set_ylabel(literal(name))
    if ax.get_legend_handles_labels()[1]:
        legend(ax, len(found) > MANY, fontsize="small")
    return tidy(ax)


def _draw_group(points: list[Numbers], shade: object, label: str | None, of: int, ax: Axes) -> None:
    from matplotlib.collections import LineCollection

    many = of > MANY
    ax.add_collection(
        LineCollection(
            [line for line in points if len(line) > 1],
            colors=[shade],
            linewidths=0.4 if many else 0.9,
            alpha=0.25 if many else 0.6,
            rasterized=many,
        )
    )
    single = np.array([line[0] for line in points if len(line) == 1]).reshape(-1, 2)
    if len(single):
        ax.scatter(single[:, 0], single[:, 1], s=6, color=[shade], alpha=0.6, rasterized=many)
    if label is not None:
        ax.plot([], [], color=shade, label=label)
    ax.autoscale_view()
