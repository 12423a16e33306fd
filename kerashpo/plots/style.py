"""Shared style of all figures: colours, axes, legends, notes and number formats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from kerashpo.i18n.texts import ENGLISH, Labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

# Okabe and Ito (2008), ordered so that the lightness of neighbours differs; grey replaces their
# black, which a dark page would hide.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#808080")
_ON_DARK = ("#56B4E9", "#E69F00", "#2CC295", "#E8A0C8", "#8FD0FF", "#FF7F2E", "#A8A8A8")
"""The same hues, light enough for a dark page."""
_ON_EITHER = ("#2F8FD0", *COLOURS[1:])
"""For a figure without a background of its own, on a page that may be light or dark."""
_RANGES = {"light": (0.0, 0.88), "dark": (0.25, 1.0), "either": (0.22, 0.88)}
"""The part of the ordered colours that is legible, by page."""
LINES = ("-", "--", "-.", ":")
SCALE = "cividis"
"""The colour map of areas: colour-blind people see it like everybody, and grey print keeps it."""
_RAMP = "viridis"
"""The colour map of ordered lines and bars: unlike `SCALE` its middle is not grey."""

MANY = 500
"""Beyond this number, points and lines are drawn small and as pixels."""


def page() -> Literal["light", "dark", "either"]:
    """Returns what is behind a figure, by matplotlib's present style."""
    import matplotlib as mpl
    from matplotlib.colors import to_rgba

    red, green, blue, alpha = to_rgba(mpl.rcParams["axes.facecolor"])
    if alpha == 0.0:
        return "either"
    return "dark" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.4 else "light"


def colour(index: int) -> str:
    """Returns the colour of the `index`-th series."""
    palette = {"light": COLOURS, "dark": _ON_DARK, "either": _ON_EITHER}[page()]
    return palette[index % len(palette)]


def line(index: int) -> str:
    """Returns the dash pattern of the `index`-th series, so that grey print keeps them apart."""
    return LINES[index % len(LINES)]


def ink() -> str:
    """Returns the colour of text: dark on a light page, light on a dark one."""
    import matplotlib as mpl

    return str(mpl.rcParams["text.color"])


def literal(name: str) -> str:
    """Returns a user's name escaped for matplotlib: a ``$`` begins no formula."""
    return name.replace("$", r"\$")


def ramp(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns colours (n, 4) for ordered values (n,) in [0, 1], all legible on the page."""
    import matplotlib as mpl

    low, high = _RANGES[page()]
    return np.asarray(mpl.colormaps[_RAMP](low + (high - low) * values), dtype=float)


def shades(count: int) -> list[Any]:
    """Returns `count` ordered colours that are easy to distinguish."""
    return list(ramp(np.linspace(0.0, 1.0, count) if count > 1 else np.array([0.5])))


def short(value: object, say: Labels = ENGLISH, width: int = 14) -> str:
    """Returns a value as a tick label: three digits, and no more than `width` characters."""
    if isinstance(value, float):
        digits = ".0f" if 1e3 <= abs(value) < 1e5 else ".3g"
        text = say.number(f"{value:{digits}}")
    else:
        text = str(value)
    return literal(text if len(text) <= width else f"{text[: width - 1]}…")


def framed(values: NDArray[np.float64]) -> tuple[float, float]:
    """Returns the limits of an axis without outliers.

    Values further from the 10th and 90th percentiles than three times their distance would
    press all others into a line; they are left outside. Where a tenth of the values or more lies
    far off, the quartiles take the percentiles' place.
    """
    known = values[np.isfinite(values)]
    low, lower, upper, high = (float(edge) for edge in np.percentile(known, [10, 25, 75, 90]))
    reach, middle = 3.0 * (high - low), upper - lower
    if 0.0 < middle < 0.1 * (high - low):
        low, high, reach = lower, upper, 10.0 * middle
    inside = known[(known >= low - reach) & (known <= high + reach)] if reach else known
    return float(inside.min()), float(inside.max())


def frame(
    ax: Axes, values: NDArray[np.float64], say: Labels = ENGLISH, with_note: bool = True
) -> None:
    """Sets the y limits to `framed` where values lie outside, and notes how many do."""
    known = values[np.isfinite(values)]
    if not len(known):
        return
    low, high = framed(known)
    outside = int(((known < low) | (known > high)).sum())
    if not outside:
        return
    margin = 0.05 * (high - low)
    ax.set_ylim(low - margin, high + margin)
    if with_note:
        text = say("1 value outside") if outside == 1 else say("{count} values outside")
        note(ax, text.format(count=outside))


def note(ax: Axes, text: str) -> None:
    """Writes a small note above the upper right corner, where no curve can be."""
    ax.annotate(
        text,
        (1.0, 1.0),
        xytext=(0, 2),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize="x-small",
    )


def axes(ax: Axes | None, title: str = "") -> Axes:
    """Returns the given Axes, or those of a new figure, which gets the title."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    figure, made = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return made


def panels(
    count: int, given: Sequence[Axes] | None, title: str = "", width: float = 6.4
) -> list[Axes]:
    """Returns the given Axes, or `count` of a new figure in rows of three, with one y axis."""
    if given is not None:
        return list(given)
    import matplotlib.pyplot as plt

    columns = min(count, 3)
    rows = -(-count // columns)
    size = (width, 1.2 + 2.0 * rows)
    figure, table = plt.subplots(
        rows, columns, figsize=size, layout="constrained", sharey=True, squeeze=False
    )
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    made = list(table.flat)
    for spare in made[count:]:
        figure.delaxes(spare)
    return made[:count]


def tidy(ax: Axes, say: Labels = ENGLISH) -> Axes:
    """Removes the frame that carries no information, and formats numbers in the language."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, alpha=0.25, linewidth=0.5)
    ax.set_axisbelow(True)
    localise(ax.xaxis, say)
    localise(ax.yaxis, say)
    return ax


def localise(axis: Axis, say: Labels) -> None:
    """Formats the numbers along an axis with the language's decimal mark."""
    from matplotlib.ticker import ScalarFormatter

    if say.mark != "." and type(axis.get_major_formatter()) is ScalarFormatter:
        axis.set_major_formatter(number_format(say))


def number_format(say: Labels) -> Any:
    """Returns matplotlib's usual formatter of numbers, with the language's decimal mark."""
    from matplotlib.ticker import ScalarFormatter

    class Localised(ScalarFormatter):
        def __call__(self, x: float, pos: int | None = None) -> str:
            return say.number(super().__call__(x, pos))

        def get_offset(self) -> str:
            return say.number(super().get_offset())

    return Localised()


def room_outside(ax: Axes) -> bool:
    """Returns whether the figure's layout makes room for what stands beside the axes."""
    figure = ax.figure
    return figure is not None and figure.get_layout_engine() is not None


def legend(ax: Axes, crowded: bool = False, **look: Any) -> None:
    """Writes the legend beside the axes, or inside them where the figure makes no room."""
    if room_outside(ax):
        place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
        ax.legend(frameon=False, **{"fontsize": "small", **place, **look})
        return
    # Among many marks the emptiest place takes too long to find.
    look.setdefault("loc", "lower right" if crowded else "best")
    ax.legend(framealpha=0.9, edgecolor="none", **{"fontsize": "small", **look})


def empty(ax: Axes, text: str) -> Axes:
    """Writes on the figure itself that there is nothing to draw."""
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes, wrap=True)
    ax.set_xticks([])
    ax.set_yticks([])
    return ax
