"""Sparklines: a progress bar and a small curve as one line of text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

_BLOCKS = "▁▂▃▄▅▆▇█"


class Bar(NamedTuple):
    """The two parts of a progress bar: done and left."""

    done: str
    left: str


def bar(share: float | None, width: int, plain: bool = False) -> Bar:
    """Returns a bar of `width` characters.

    Args:
        share: the share that is done, in [0, 1]; None while it is unknown.
        width: characters.
        plain: use ASCII alone.
    """
    full, half, rest = ("#", "#", "-") if plain else ("━", "╸", "━")
    steps = round(2 * width * min(1.0, max(0.0, share or 0.0)))
    done = full * (steps // 2) + half * (steps % 2)
    return Bar(done, rest * (width - len(done)))


def sparkline(values: Sequence[float], width: int) -> str:
    """Returns a curve of at most `width` blocks, from its least to its greatest value.

    Values that are not finite leave a gap. Longer curves are averaged piece by piece.
    """
    points = _pieces(values, width)
    finite = [value for value in points if math.isfinite(value)]
    if not finite:
        return " " * len(points)
    low, span = min(finite), max(finite) - min(finite)
    return "".join(_block(value, low, span) for value in points)


def _block(value: float, low: float, span: float) -> str:
    if not math.isfinite(value):
        return " "
    height = 0.5 if span == 0 else (value - low) / span
    return _BLOCKS[min(len(_BLOCKS) - 1, int(height * len(_BLOCKS)))]


def _pieces(values: Sequence[float], width: int) -> list[float]:
    """Returns at most `width` values: the means of equal pieces, of their finite values."""
    count = len(values)
    if count <= width:
        return list(values)
    edges = [i * count // width for i in range(width + 1)]
    return [_mean(values[a:b]) for a, b in zip(edges, edges[1:])]


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan
