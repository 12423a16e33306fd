"""Ticks for a parameter's values on the unit interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from kerashpo.i18n.texts import ENGLISH, Labels
from kerashpo.plots.style import short
from kerashpo.space.domains import Domain

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def ticks(domain: Domain, say: Labels = ENGLISH, most: int = 5) -> list[tuple[float, str]]:
    """Returns positions and labels of some values, all of them where they are few.

    Args:
        domain: the parameter's.
        say: the reader's language.
        most: the most labels.
    """
    if 0 < domain.levels <= most:
        values = list(domain.listed())
        return [(domain.unit(value), short(domain.realise(value), say)) for value in values]
    if domain.categorical:
        picked = np.unique(np.linspace(0, domain.levels - 1, most).astype(int))
        places = (picked + 0.5) / domain.levels
    else:
        places = np.linspace(0.0, 1.0, min(most, 3))
    return [(float(u), short(domain.realise(domain.at(float(u))), say)) for u in places]


def set_ticks(
    ax: Axes, which: Literal["x", "y"], domain: Domain, say: Labels = ENGLISH, room: int = 18
) -> None:
    """Labels an axis that spans [0, 1] with a parameter's values.

    Args:
        ax: the axes.
        which: of which axis.
        domain: the parameter's.
        say: the reader's language.
        room: how many characters fit beside each other; longer labels are turned.
    """
    positions, labels = zip(*ticks(domain, say))
    if which == "x":
        ax.set_xlim(-0.04, 1.04)
        crowded = sum(map(len, labels)) > room
        ax.set_xticks(positions, labels)
        if crowded:
            ax.tick_params(axis="x", labelrotation=30)
    else:
        ax.set_ylim(-0.04, 1.04)
        ax.set_yticks(positions, labels)
