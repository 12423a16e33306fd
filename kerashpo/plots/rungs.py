"""Promotions over time: the epochs of each trial against the seconds of the search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kerashpo.analysis.anytime import Numbers
from kerashpo.core.history import History
from kerashpo.core.records import Status
from kerashpo.i18n.texts import ENGLISH, Labels
from kerashpo.plots.style import MANY, axes, colour, empty, legend, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEAST_RATIO = 1.25
_ENDS = {Status.COMPLETED: 2, Status.STOPPED: 0, Status.FAILED: 5}


@dataclass(frozen=True, slots=True)
class Climb:
    """One trial's epochs over time.

    Attributes:
        trial: the trial's number.
        status: its status.
        seconds: (n,), seconds of search at each epoch's report.
        epochs: (n,), the epochs.
    """

    trial: int
    status: Status
    seconds: Numbers
    epochs: Numbers


def climbs(history: History) -> list[Climb]:
    """Returns the epochs over time of every trial with a report."""
    result = []
    for trial in history.trials.values():
        epochs = sorted(trial.reports.get(0, {}))
        if epochs:
            seconds = np.array([trial.times[0, epoch] for epoch in epochs])
            climb = Climb(trial.number, trial.status, seconds, np.array(epochs, dtype=float))
            result.append(climb)
    return result


def rung_counts(history: History) -> dict[int, int]:
    """Returns, for each last epoch of a trial, how many trials were trained at least to it."""
    ends = [int(climb.epochs[-1]) for climb in climbs(history)]
    return {level: sum(end >= level for end in ends) for level in sorted(set(ends))}


def draw_rungs(history: History, ax: Axes | None = None, say: Labels = ENGLISH) -> Axes:
    """Draws each trial as a line that rises while it trains and is level while it is paused."""
    ax = axes(ax, say("Promotions from rung to rung"))
    trials = climbs(history)
    if not trials:
        return empty(ax, say("no epoch was trained yet"))
    for status in dict.fromkeys(climb.status for climb in trials):
        _draw_group([c for c in trials if c.status is status], status, len(trials) > MANY, ax)
    counts = rung_counts(history)
    shown = _apart(list(counts))
    ax.set_yscale("log")
    ax.set_yticks(shown, [f"{level} ({counts[level]})" for level in shown])
    ax.minorticks_off()
    for status, place in _ENDS.items():
        if any(climb.status is status for climb in trials):
            width = 1.4 if status is Status.COMPLETED else 0.7
            label = say(status.value.lower())
            ax.plot([], [], color=colour(place), linewidth=width, label=label)
    ax.set(
        xlabel=say("seconds of search"),
        ylabel=say("epoch (trials that reached it)").replace(" (", "\n("),
    )
    if ax.get_legend_handles_labels()[1]:
        legend(ax, len(trials) > MANY)
    return tidy(ax, say)


def _draw_group(group: list[Climb], status: Status, many: bool, ax: Axes) -> None:
    from matplotlib.collections import LineCollection

    shade, strong = colour(_ENDS.get(status, 1)), status is Status.COMPLETED
    points = [np.column_stack([climb.seconds, climb.epochs]) for climb in group]
    alpha = 0.9 if strong else 0.5
    width = 1.4 if strong else 0.7
    ax.add_collection(
        LineCollection(points, colors=[shade], alpha=alpha, linewidths=width, rasterized=many)
    )
    every = np.concatenate(points)
    ax.scatter(
        every[:, 0], every[:, 1], s=2, color=shade, alpha=alpha, rasterized=len(every) > MANY
    )


def _apart(levels: list[int]) -> list[int]:
    """Returns the levels whose labels do not overlap, the highest among them."""
    kept: list[int] = []
    for level in reversed(levels):
        if not kept or level * _LEAST_RATIO <= kept[-1]:
            kept.append(level)
    return kept[::-1]
