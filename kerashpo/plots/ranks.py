"""Critical-difference diagram: average ranks of several methods, and which ones do not differ.

After J. Demšar (JMLR 7, 2006); the bars come from the tests of `kerashpo.analysis.ranking`
instead of one critical distance.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from kerashpo.analysis.ranking import Ranking
from kerashpo.i18n.texts import ENGLISH, Labels
from kerashpo.plots.style import axes, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BAR = 0.28
_LINE = 0.55


def draw_ranks(
    ranking: Ranking, xlabel: str, ax: Axes | None = None, say: Labels = ENGLISH
) -> Axes:
    """Draws the methods along their average ranks, the best on the left.

    The better half is labelled on the left, the other half on the right; thick bars join
    methods that do not differ significantly.

    Args:
        ranking: the methods.
        xlabel: label of the scale.
        ax: the Axes to draw on.
        say: the reader's language.
    """
    ax = axes(ax)
    count = len(ranking.names)
    low, high = math.floor(min(ranking.ranks)), math.ceil(max(ranking.ranks))
    high = max(high, low + 1)
    half = (count + 1) // 2
    top = _BAR * (len(ranking.groups) + 1)
    margin = 0.05 * (high - low)
    for index, (name, rank) in enumerate(zip(ranking.names, ranking.ranks)):
        left = index < half
        level = top + _LINE * (index if left else count - 1 - index)
        end = low - margin if left else high + margin
        ax.plot([rank, rank, end], [0, level, level], color=colour(6), linewidth=1, clip_on=False)
        value = say.number(f"{rank:.2f}")
        text = f"{name}  {value}" if left else f"{value}  {name}"
        ax.text(end, level, f" {text} ", ha="right" if left else "left", va="center")
    for index, group in enumerate(ranking.groups):
        places = [ranking.ranks[ranking.names.index(name)] for name in group]
        height = _BAR * (index + 1)
        reach = 0.015 * (high - low)
        ends = [min(places) - reach, max(places) + reach]
        ax.plot(
            ends,
            [height, height],
            color=colour(0),
            linewidth=4,
            solid_capstyle="butt",
            clip_on=False,
        )
    _scale(ax, low, high, top + _LINE * (half - 1) + _LINE, xlabel)
    return ax


def _scale(ax: Axes, low: int, high: int, bottom: float, xlabel: str) -> None:
    ax.set_xlim(low, high)
    ax.set_ylim(bottom, 0)
    ax.xaxis.set_ticks(range(low, high + 1))
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.set_xlabel(xlabel)
    ax.yaxis.set_visible(False)
    ax.spines[["left", "right", "bottom"]].set_visible(False)
