"""Maps between [0, 1] and a range: linear, log, and reverse log.

The formulas are KerasTuner's, so that equal declarations mean equal distributions:
``log``: low * (high / low) ** u; ``reverse_log``: high + low - low * (high / low) ** (1 - u).
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

Scale: TypeAlias = Literal["linear", "log", "reverse_log"]
SCALES: tuple[Scale, ...] = ("linear", "log", "reverse_log")


def stretch(u: float, low: float, high: float, scale: Scale) -> float:
    """Returns the value at position `u` of the range."""
    match scale:
        case "linear":
            return low + u * (high - low)
        case "log":
            return low * math.pow(high / low, u)
        case "reverse_log":
            return high + low - low * math.pow(high / low, 1.0 - u)


def shrink(value: float, low: float, high: float, scale: Scale) -> float:
    """Returns the position in [0, 1] of a value of the range: the inverse of `stretch`."""
    if high == low:
        return 0.5
    match scale:
        case "linear":
            return (value - low) / (high - low)
        case "log":
            return math.log(value / low) / math.log(high / low)
        case "reverse_log":
            return 1.0 - math.log((high + low - value) / low) / math.log(high / low)


def ladder(low: float, high: float, step: float, scale: Scale) -> int:
    """Returns how many values a stepped range has; a log step is a factor."""
    if scale == "linear":
        return math.floor((high - low) / step * (1 + 1e-12) + 1e-9) + 1
    return math.floor(math.log(high / low) / math.log(step) + 1e-9) + 1


def rung(index: int, low: float, high: float, step: float, scale: Scale) -> float:
    """Returns the value of a stepped range at `index`, clean of rounding noise."""
    match scale:
        case "linear":
            value = low + index * step
        case "log":
            value = low * math.pow(step, index)
        case "reverse_log":
            count = ladder(low, high, step, scale)
            value = high + low - low * math.pow(step, count - 1 - index)
    return float(f"{value:.12g}")
