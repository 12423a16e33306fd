"""Maps between [0, 1] and a range: linear, log, and reverse log.

The formulas are KerasTuner's, so equal declarations give equal distributions:
``log``: low * (high / low) ** u; ``reverse_log``: high + low - low * (high / low) ** (1 - u).
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Literal, TypeAlias

Scale: TypeAlias = Literal["linear", "log", "reverse_log"]
SCALES: tuple[Scale, ...] = ("linear", "log", "reverse_log")
_WRITTEN_DIGITS = 14


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


def step_count(low: float, high: float, step: float, scale: Scale) -> int:
    """Returns how many values a stepped range has; a log step is a factor."""
    if scale == "linear":
        return math.floor((high - low) / step * (1 + 1e-12) + 1e-9) + 1
    return math.floor(math.log(high / low) / math.log(step) + 1e-9) + 1


def step_value(index: int, low: float, high: float, step: float, scale: Scale) -> float:
    """Returns the value of a stepped range at `index`, without rounding noise.

    A linear range is computed in the decimals that the user wrote, so that -0.3 to 0.3 by 0.1
    contains 0.0 and 0.1. If a bound or the step has more than twelve decimals (1 / 3), twelve
    are kept.
    """
    match scale:
        case "linear":
            start, by = Decimal(repr(float(low))), Decimal(repr(float(step)))
            value = float(start + index * by)
            written = max(len(start.as_tuple().digits), len(by.as_tuple().digits))
            if written <= _WRITTEN_DIGITS or index == 0:
                return value
            noise = 1e-12 * max(abs(low), abs(high))
            return 0.0 if abs(value) < noise else float(f"{value:.12g}")
        case "log":
            value = low * math.pow(step, index)
        case "reverse_log":
            count = step_count(low, high, step, scale)
            value = high + low - low * math.pow(step, count - 1 - index)
    return float(f"{value:.12g}")
