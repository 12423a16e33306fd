"""Unions of two domains, for a definition that depends on other values."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from kerashpo.space.domains import Choice, Domain, Float, Integer
from kerashpo.space.scales import Scale


def joined(first: Domain, second: Domain) -> Domain:
    """Returns a domain with the values of two of the same kind; it keeps the first default.

    Ranges become the smallest range that contains both, on steps that contain the steps of
    both, or without steps if there are none. Of two fixed values or flags the first is kept.
    """
    if first == second:
        return first
    match first, second:
        case Integer(), Integer():
            low, high = min(first.low, second.low), max(first.high, second.high)
            whole = Integer(low, high, *_whole_grain(first, second, low))
            return replace(whole, preset=_on_steps(whole, first.preset))
        case Float(), Float():
            bottom, top = min(first.low, second.low), max(first.high, second.high)
            real = Float(bottom, top, *_real_grain(first, second, bottom))
            return replace(real, preset=_on_steps(real, first.preset))
        case Choice(), Choice():
            values = (*first.values, *(v for v in second.values if v not in first.values))
            return Choice(values, first.ordered and second.ordered, first.preset)
    return first


def _whole_grain(first: Integer, second: Integer, low: int) -> tuple[int | None, Scale]:
    if first.scale == second.scale == "linear":
        steps = (int(first.step or 1), int(second.step or 1))
        step = math.gcd(*steps, int(first.low - second.low))
        return (None if step == 1 else step), "linear"
    if (first.step, first.scale) == (second.step, second.scale) and first.low == second.low:
        return first.step, first.scale
    return None, first.scale if low > 0 else "linear"


def _real_grain(first: Float, second: Float, low: float) -> tuple[float | None, Scale]:
    same = (first.step, first.scale) == (second.step, second.scale)
    if same and (first.step is None or _apart_by_steps(first, second)):
        return first.step, first.scale
    return None, first.scale if low > 0 else "linear"


def _apart_by_steps(first: Float, second: Float) -> bool:
    step, apart = first.step or 1.0, abs(first.low - second.low)
    if first.scale != "linear":
        step, apart = math.log(step), abs(math.log(first.low / second.low))
    return math.isclose(apart / step, round(apart / step), abs_tol=1e-6)


def _on_steps(domain: Integer | Float, preset: float | None) -> Any:
    """Returns a default on the steps of a wider range, which may lie between the old steps."""
    return preset if preset is None or domain.step is None else domain.at(domain.unit(preset))
