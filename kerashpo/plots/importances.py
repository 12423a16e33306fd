"""Parameter importances as bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kerashpo.analysis.forest import LEAST
from kerashpo.analysis.importance import Share
from kerashpo.i18n.texts import ENGLISH, Labels
from kerashpo.plots.style import axes, colour, empty, ink, literal, note, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 12
_LEAST_PAIR = 0.01
_LEAST_AXIS = 10.0
"""The axis goes at least so far: a share of a hundredth must not look large."""


def bars_of(shares: Sequence[Share]) -> list[Share]:
    """Returns the bars: parameters, and interactions that explain a hundredth at least."""
    kept = [s for s in shares if len(s.names) == 1 or s.mean >= _LEAST_PAIR]
    return kept[:_MOST]


def draw_importances(
    shares: Sequence[Share], skill: float, ax: Axes | None = None, say: Labels = ENGLISH
) -> Axes:
    """Draws shares of the variance, the largest on top; whiskers are a standard deviation.

    Args:
        shares: the largest first.
        skill: what all parameters explain together, in [0, 1].
        ax: the Axes to draw on.
        say: the reader's language.
    """
    ax = axes(ax, say("Parameter importances"))
    if not shares:
        text = say("importances need at least {count} trials with different scores")
        return empty(ax, text.format(count=LEAST))
    bars = bars_of(shares)
    single = [len(share.names) == 1 for share in bars]
    for alone, label in ((True, say("by itself")), (False, say("together, beyond the two"))):
        rows = [row for row, one in enumerate(single) if one is alone]
        if rows:
            ax.barh(
                rows,
                [100 * bars[row].mean for row in rows],
                xerr=[100 * bars[row].deviation for row in rows],
                height=0.6,
                color=colour(0 if alone else 1),
                hatch=None if alone else "///",
                ecolor=ink(),
                error_kw={"linewidth": 0.8},
                label=label,
            )
    ax.set_yticks(range(len(bars)), [literal(" × ".join(share.names)) for share in bars])
    ax.invert_yaxis()
    ax.set_xlim(0, min(max(ax.get_xlim()[1], _LEAST_AXIS), 100.0))
    text = say("all parameters together explain {percent} %")
    note(ax, text.format(percent=round(100 * skill)))
    # From the right, below the names of the parameters: a narrow figure has room there.
    ax.set_xlabel(say("share of the score's variance (%)"), loc="right")
    if not all(single):
        ax.legend(frameon=False, loc="lower right", fontsize="x-small")
    return tidy(ax, say)
