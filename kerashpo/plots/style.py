"""Colours and axes that all figures share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito (2008), in an order whose lightness differs from one to the next.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
LINES = ("-", "--", "-.", ":")


def colour(index: int) -> str:
    """Returns the colour of the `index`-th series."""
    return COLOURS[index % len(COLOURS)]


def line(index: int) -> str:
    """Returns the dash pattern of the `index`-th series, so that grey print keeps them apart."""
    return LINES[index % len(LINES)]


def axes(ax: Axes | None) -> Axes:
    """Returns the given Axes, or those of a new figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    _, made = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
    return made


def tidy(ax: Axes) -> Axes:
    """Takes away what carries no information."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, alpha=0.25, linewidth=0.5)
    return ax


def empty(ax: Axes, text: str) -> Axes:
    """Says on the figure itself that there is nothing to draw."""
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes)
    ax.set_xticks([])
    ax.set_yticks([])
    return ax
