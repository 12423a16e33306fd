"""Learning curves of all trials, coloured by the rung they reached; the best one stands out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kerashpo.analysis.anytime import Numbers
from kerashpo.core.history import History
from kerashpo.i18n.texts import ENGLISH, Labels
from kerashpo.plots.style import (
    MANY,
    axes,
    colour,
    empty,
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
    """The learning curve of one trial.

    Attributes:
        trial: the trial's number.
        rung: the epoch that its last job was to train through.
        points: (n, 2), epochs and values.
    """

    trial: int
    rung: int
    points: Numbers


def curves_of(history: History, metric: str) -> list[Curve]:
    """Returns the learning curve of every trial (of its first run) that logged the metric."""
    curves = []
    for trial in history.trials.values():
        reports = trial.reports.get(0, {})
        pairs = [
            (e, reports[e].metrics[metric]) for e in sorted(reports) if metric in reports[e].metrics
        ]
        if pairs:
            curves.append(Curve(trial.number, trial.targets[-1], np.array(pairs, dtype=float)))
    return curves


def draw_curves(
    history: History, metric: str | None = None, ax: Axes | None = None, say: Labels = ENGLISH
) -> Axes:
    """Draws a metric by epoch, a line for each trial; colour and width show the rung it reached.

    Args:
        history: the study.
        metric: the metric; None for the objective.
        ax: the Axes to draw on.
        say: the reader's language.
    """
    ax = axes(ax, say("Learning curves"))
    name = metric or history.objective.name
    curves = curves_of(history, name)
    if not curves:
        return empty(ax, say("no epoch has logged {metric}").format(metric=literal(name)))
    best = None if history.best is None else history.best.number
    rungs = sorted({curve.rung for curve in curves})
    groups: list[int | None] = [*rungs] if 1 < len(rungs) <= _MOST_RUNGS else [None]
    looks = shades(len(groups)) if len(groups) > 1 else [colour(0)]
    for level, (rung, shade) in enumerate(zip(groups, looks)):
        members = [c for c in curves if rung in (None, c.rung)]
        text = (
            say("to epoch {epoch} (1 trial)")
            if len(members) == 1
            else say("to epoch {epoch} ({count} trials)")
        )
        label = None if rung is None else text.format(epoch=rung, count=len(members))
        lines = [c.points for c in members if c.trial != best]
        width = 0.9 + 0.5 * level / max(len(groups) - 1, 1)
        _draw_group(ax, lines, {"color": shade, "linewidth": width}, label, len(curves) > MANY)
    for curve in curves:
        if curve.trial == best:
            label = say("trial {number} (best)").format(number=best)
            marker = "o" if len(curve.points) == 1 else None
            ax.plot(*curve.points.T, label=label, marker=marker, color=colour(5), lw=2, zorder=3)
    frame(ax, np.concatenate([curve.points[:, 1] for curve in curves]), say)
    ax.set_xlabel(say("epoch"))
    ax.set_ylabel(literal(name))
    if ax.get_legend_handles_labels()[1]:
        legend(ax, len(curves) > MANY)
    return tidy(ax, say)


def _draw_group(
    ax: Axes, lines: list[Numbers], look: dict[str, Any], label: str | None, many: bool
) -> None:
    from matplotlib.collections import LineCollection

    ax.add_collection(
        LineCollection(
            [points for points in lines if len(points) > 1],
            colors=[look["color"]],
            linewidths=0.4 if many else look["linewidth"],
            alpha=0.25 if many else 0.75,
            rasterized=many,
        )
    )
    single = np.array([points[0] for points in lines if len(points) == 1]).reshape(-1, 2)
    if len(single):
        shade = [look["color"]]
        ax.scatter(single[:, 0], single[:, 1], s=6, color=shade, alpha=0.75, rasterized=many)
    if label is not None:
        ax.plot([], [], label=label, **look)
    ax.autoscale_view()
