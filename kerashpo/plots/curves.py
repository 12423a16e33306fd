"""Learning curves of all trials, the best one standing out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kerashpo.core.history import History
from kerashpo.plots.style import axes, colour, empty, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_curves(history: History, metric: str | None = None, ax: Axes | None = None) -> Axes:
    """Draws a metric by epoch, a thin line for each trial.

    Args:
        history: the study.
        metric: which one; None for the objective.
        ax: where to draw.
    """
    ax = axes(ax)
    name = metric or history.objective.name
    drawn = 0
    for trial in history.trials.values():
        reports = trial.reports.get(0, {})
        epochs = sorted(e for e in reports if name in reports[e].metrics)
        values = [reports[e].metrics[name] for e in epochs]
        if not epochs:
            continue
        drawn += 1
        leads = history.best is trial
        label = f"trial {trial.number} (best)" if leads else None
        look: dict[str, Any] = {"color": colour(5), "linewidth": 2, "zorder": 3} if leads else _THIN
        marker = "o" if len(epochs) == 1 else None
        ax.plot(epochs, np.array(values), label=label, marker=marker, markersize=3, **look)
    if not drawn:
        return empty(ax, f"no epoch has logged {name}")
    ax.set_xlabel("epoch")
    ax.set_ylabel(name)
    if history.best is not None:
        ax.legend(frameon=False)
    return tidy(ax)


_THIN: dict[str, Any] = {"color": colour(0), "linewidth": 0.8, "alpha": 0.4, "zorder": 1}
