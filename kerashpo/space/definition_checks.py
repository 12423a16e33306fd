"""Warnings about definitions that are valid but probably wrong: steps that miss default or end."""

from __future__ import annotations

import math

from kerashpo.space.domains import Float, Integer


def between_steps(domain: Float | Integer) -> str:
    """Returns why the default is not on a step; empty if it is."""
    preset, step = domain.preset, domain.step
    if preset is None or step is None:
        return ""
    nearest = domain.at(domain.unit(preset))
    if math.isclose(nearest, preset, rel_tol=1e-6, abs_tol=1e-6 * step):
        return ""
    return (
        f"default {preset!r} is not among the values from {domain.low} to {domain.high} by a "
        f"{_step_or_factor(domain)} of {step}; the nearest is {nearest!r}"
    )


def beyond_steps(domain: Float | Integer) -> str:
    """Returns which values the steps do not reach; empty if they end at the upper bound."""
    if domain.step is None:
        return ""
    last = domain.at(1.0)
    if math.isclose(last, domain.high, rel_tol=1e-9, abs_tol=1e-9 * domain.step):
        return ""
    return (
        f"the {_step_or_factor(domain)} of {domain.step} does not divide the range from "
        f"{domain.low} to {domain.high}; its largest value is {last!r}"
    )


def _step_or_factor(domain: Float | Integer) -> str:
    return "step" if domain.scale == "linear" else "factor"
