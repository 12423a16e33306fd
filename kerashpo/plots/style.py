"""Colours, axes and words that all figures share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Say: TypeAlias = Callable[[str], str]
"""Puts an English label into the reader's language."""

# Okabe and Ito (2008), in an order whose lightness differs from one to the next; grey stands
# for their black, which a dark page would hide.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#808080")
LINES = ("-", "--", "-.", ":")
SCALE = "cividis"
"""A scale of colours that the colour-blind see as everybody does, and grey print keeps."""

MANY = 500
"""Beyond so many, points and lines are drawn small and as pixels."""


def english(text: str) -> str:
    """Returns a label as it is."""
    return text


def colour(index: int) -> str:
    """Returns the colour of the `index`-th series."""
    return COLOURS[index % len(COLOURS)]


def line(index: int) -> str:
    """Returns the dash pattern of the `index`-th series, so that grey print keeps them apart."""
    return LINES[index % len(LINES)]


def ink() -> str:
    """Returns the colour of text: dark on a light page, light on a dark one."""
    import matplotlib as mpl

    return str(mpl.rcParams["text.color"])


def literal(name: str) -> str:
    """Returns a user's name so that matplotlib writes it as it is: a ``$`` begins no formula."""
    return name.replace("$", r"\$")


def shades(count: int) -> list[Any]:
    """Returns `count` colours from one end of `SCALE` to the other, both ends left out."""
    import matplotlib as mpl

    return list(mpl.colormaps[SCALE](np.linspace(0.2, 0.8, count)))


def short(value: object, width: int = 14) -> str:
    """Returns a value as a tick says it: three digits, and no more than `width` characters."""
    text = f"{value:.3g}" if isinstance(value, float) else str(value)
    return literal(text if len(text) <= width else f"{text[: width - 1]}…")


def framed(values: NDArray[np.float64]) -> tuple[float, float]:
    """Returns the least and the greatest value to show.

    Values further from the middle four fifths than three times their range would press all
    others into a line; they are left outside.
    """
    known = values[np.isfinite(values)]
    low, high = (float(edge) for edge in np.percentile(known, [10, 90]))
    reach = 3.0 * (high - low)
    inside = known[(known >= low - reach) & (known <= high + reach)] if reach else known
    return float(inside.min()), float(inside.max())


def frame(ax: Axes, values: NDArray[np.float64], say: Say = english, note: bool = True) -> None:
    """Sets the limits upwards to `framed`, where values lie outside, and says how many do."""
    known = values[np.isfinite(values)]
    if not len(known):
        return
    low, high = framed(known)
    outside = int(((known < low) | (known > high)).sum())
    if not outside:
        return
    margin = 0.05 * (high - low)
    ax.set_ylim(low - margin, high + margin)
    if note:
        text = say("{count} values outside").format(count=outside)
        ax.annotate(text, (0.02, 0.98), xycoords="axes fraction", va="top", fontsize="x-small")


def axes(ax: Axes | None) -> Axes:
    """Returns the given Axes, or those of a new figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    _, made = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
    return made


def panels(count: int, given: Sequence[Axes] | None, width: float = 6.4) -> list[Axes]:
    """Returns the given Axes, or `count` of a new figure in rows of three, with one y axis."""
    if given is not None:
        return list(given)
    import matplotlib.pyplot as plt

    columns = min(count, 3)
    rows = -(-count // columns)
    size = (width, 0.6 + 2.0 * rows)
    figure, table = plt.subplots(
        rows, columns, figsize=size, layout="constrained", sharey=True, squeeze=False
    )
    made = list(table.flat)
    for spare in made[count:]:
        figure.delaxes(spare)
    return made[:count]


def tidy(ax: Axes) -> Axes:
    """Takes away what carries no information."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, alpha=0.25, linewidth=0.5)
    ax.set_axisbelow(True)
    return ax


def legend(ax: Axes, crowded: bool = False, **look: Any) -> None:
    """Writes the legend where it covers least; among many marks that takes too long to find."""
    look.setdefault("loc", "lower right" if crowded else "best")
    ax.legend(framealpha=0.7, edgecolor="none", **look)


def empty(ax: Axes, text: str) -> Axes:
    """Says on the figure itself that there is nothing to draw."""
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes, wrap=True)
    ax.set_xticks([])
    ax.set_yticks([])
    return ax
