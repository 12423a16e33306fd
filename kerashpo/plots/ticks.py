"""Where on [0, 1] a parameter's values are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from kerashpo.plots.style import short
from kerashpo.space.domains import Domain

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def marks(domain: Domain, most: int = 5) -> list[tuple[float, str]]:
    """Returns positions and texts of some values, all of them where they are few.

    Args:
        domain: the parameter's.
        most: how many to write at most.
    """
    if 0 < domain.levels <= most:
        values = list(domain.listed())
        return [(domain.unit(value), short(domain.realise(value))) for value in values]
    if domain.categorical:
        picked = np.unique(np.linspace(0, domain.levels - 1, most).astype(int))
        places = (picked + 0.5) / domain.levels
    else:
        places = np.linspace(0.0, 1.0, min(most, 3))
    return [(float(u), short(domain.realise(domain.at(float(u))))) for u in places]


def write_marks(ax: Axes, which: Literal["x", "y"], domain: Domain, room: int = 18) -> None:
    """Writes a parameter's values along an axis that spans [0, 1].

    Args:
        ax: the axes.
        which: of which axis.
        domain: the parameter's.
        room: how many characters fit beside each other; more are turned.
    """
    positions, texts = zip(*marks(domain))
    if which == "x":
        ax.set_xlim(-0.04, 1.04)
        crowded = sum(map(len, texts)) > room
        ax.set_xticks(positions, texts)
        if crowded:
            ax.tick_params(axis="x", labelrotation=30)
    else:
        ax.set_ylim(-0.04, 1.04)
        ax.set_yticks(positions, texts)
