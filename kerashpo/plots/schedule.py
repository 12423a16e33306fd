"""The schedule that a population found: the values along the best trial's line of ancestors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kerashpo.analysis.lineage import changing, line_of
from kerashpo.core.history import History
from kerashpo.i18n.texts import ENGLISH, Labels
from kerashpo.plots.style import axes, colour, empty, literal, tidy
from kerashpo.plots.ticks import set_ticks
from kerashpo.space.space import Space

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_schedule(
    history: History,
    space: Space,
    given: Sequence[Axes] | None = None,
    say: Labels = ENGLISH,
) -> list[Axes]:
    """Draws each parameter that changed by epoch, a panel each; returns their Axes.

    Args:
        history: the study.
        space: its space, whose ranges the panels show.
        given: where to draw, one for each parameter that changed, one where none did.
        say: the reader's language.
    """
    line = line_of(history) if history.best is not None else []
    names = changing(line)
    if not names:
        ax = axes(given[0] if given else None, say("Schedule found"))
        return [empty(ax, say("no value changed along the best trial's line"))]
    made = list(given) if given is not None else _stacked(len(names), say("Schedule found"))
    for ax, name in zip(made, names):
        for stage in line:
            params = [p for p in space.active(stage.config) if p.name == name]
            for param in params:
                place = param.domain.unit(stage.config[name])
                ends = [stage.first - 0.5, stage.last + 0.5]
                ax.plot(ends, [place, place], color=colour(0), linewidth=2.0)
                set_ticks(ax, "y", param.domain, say, room=12)
        for stage in line[1:]:
            ax.axvline(stage.first - 0.5, color=colour(6), linewidth=0.6, alpha=0.6)
        ax.set_ylim(0.0, 1.0)
        ax.set_ylabel(literal(name))
        tidy(ax, say)
    made[-1].set_xlabel(say("epoch"))
    return made


def _stacked(count: int, title: str) -> list[Axes]:
    """Returns the Axes of a new figure, one above the other, with one axis of epochs."""
    import matplotlib.pyplot as plt

    size = (6.4, 1.0 + 1.4 * count)
    figure, table = plt.subplots(
        count, 1, figsize=size, layout="constrained", sharex=True, squeeze=False
    )
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return list(np.ravel(table))
