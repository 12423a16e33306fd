"""Two objectives against each other, and the Pareto front."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kerashpo.analysis.pareto import SECONDS, HypervolumeTrace, Tradeoff
from kerashpo.i18n.texts import ENGLISH, Labels
from kerashpo.plots.style import MANY, axes, colour, empty, ink, legend, literal, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_pareto(tradeoff: Tradeoff, ax: Axes | None = None, say: Labels = ENGLISH) -> Axes:
    """Draws the first objective across, the second upwards, with the front as a step function.

    Bars show the uncertainty of trials on the front, a ring the knee, dashed lines limits on the
    two objectives, crosses the trials that exceed any limit.

    Args:
        tradeoff: the trials' values in two objectives.
        ax: the Axes to draw on.
        say: the reader's language.
    """
    ax = axes(ax, say("Pareto front"))
    if not len(tradeoff.trials):
        return empty(ax, say("no trial has a score yet"))
    x, y = tradeoff.objectives
    many = len(tradeoff.trials) > MANY
    dominated = tradeoff.values[~tradeoff.front & tradeoff.feasible]
    ax.scatter(
        dominated[:, 0],
        dominated[:, 1],
        s=4 if many else 14,
        color=colour(6),
        alpha=0.6,
        rasterized=many,
        label=say("trials"),
    )
    front = tradeoff.values[tradeoff.front]
    front = front[np.argsort(front[:, 0], kind="stable")]
    # Between two trials of the front nothing better is known than the worse value of both.
    ax.step(
        front[:, 0],
        front[:, 1],
        where="post" if x.direction == "min" else "pre",
        color=colour(5),
        linewidth=1.2,
    )
    ax.scatter(front[:, 0], front[:, 1], s=24, color=colour(5), zorder=3, label=say("Pareto front"))
    _draw_around(ax, tradeoff, say)
    ax.set_xlabel(_label(x.name, x.direction, say))
    ax.set_ylabel(_label(y.name, y.direction, say).replace(" (", "\n("))
    legend(ax, many)
    return tidy(ax, say)


def _draw_around(ax: Axes, tradeoff: Tradeoff, say: Labels) -> None:
    """Draws infeasible trials, limits, uncertainty and the knee."""
    beyond = tradeoff.values[~tradeoff.feasible]
    if len(beyond):
        label = say("exceeds a limit")
        ax.scatter(
            beyond[:, 0],
            beyond[:, 1],
            s=16,
            marker="x",
            linewidths=0.8,
            color=colour(6),
            label=label,
        )
    for bound, line in zip(tradeoff.bounds, (ax.axvline, ax.axhline)):
        if bound is not None:
            line(bound, color=ink(), linestyle="--", linewidth=0.9)
    values, deviations = tradeoff.values[tradeoff.front], tradeoff.deviations[tradeoff.front]
    if np.isfinite(deviations).any():
        across, upwards = np.nan_to_num(deviations).T
        ax.errorbar(
            values[:, 0],
            values[:, 1],
            xerr=across,
            yerr=upwards,
            fmt="none",
            ecolor=colour(5),
            elinewidth=0.8,
            alpha=0.7,
        )
    if tradeoff.knee is not None:
        x, y = tradeoff.values[tradeoff.knee]
        ax.scatter([x], [y], s=90, facecolors="none", edgecolors=ink(), zorder=4, label=say("knee"))


def draw_hypervolume(
    trace: HypervolumeTrace, ax: Axes | None = None, say: Labels = ENGLISH
) -> Axes:
    """Draws the hypervolume against the trials that had ended, as a step function.

    Args:
        trace: the hypervolume after each trial.
        ax: the Axes to draw on.
        say: the reader's language.
    """
    ax = axes(ax, say("Hypervolume"))
    if not len(trace.trials):
        return empty(ax, say("no trial has a score yet"))
    ended = np.arange(1, len(trace.trials) + 1)
    marker = "o" if len(ended) == 1 else None
    ax.step(ended, trace.values, where="post", color=colour(5), linewidth=2, marker=marker)
    ax.set_xlabel(say("trials"))
    ax.set_ylabel(say("hypervolume"))
    ax.set_ylim(bottom=0.0)
    return tidy(ax, say)


def _label(name: str, direction: str, say: Labels) -> str:
    shown = say("seconds of training") if name == SECONDS else literal(name)
    return f"{shown} ({say('less is better') if direction == 'min' else say('more is better')})"
