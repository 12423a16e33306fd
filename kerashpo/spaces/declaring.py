"""Declares a space on a `HyperParameters` object, so that tuners can search it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from kerashpo.core.errors import InvalidSpace
from kerashpo.core.records import Config, Scalar
from kerashpo.space.domains import Boolean, Choice, Fixed, Float, Integer
from kerashpo.space.params import Param
from kerashpo.space.space import Space


def declare(hp: Any, space: Space) -> Config:
    """Declares every parameter of a space with its conditions; returns the active values.

    Args:
        hp: a `HyperParameters`, kerashpo's or KerasTuner's.
        space: the space to declare.

    Raises:
        InvalidSpace: for a parameter that a `HyperParameters` cannot hold.
    """
    config: dict[str, Scalar] = {}
    for param in space.params:
        with ExitStack() as scopes:
            for condition in param.conditions:
                scopes.enter_context(hp.conditional_scope(condition.parent, [*condition.values]))
            value = _declare(hp, param)
        if param.active(config):
            config[param.name] = value
    return config


def _declare(hp: Any, param: Param) -> Any:
    name, default = param.name, param.domain.default
    match param.domain:
        case Fixed(value):
            return hp.Fixed(name, value)
        case Boolean():
            return hp.Boolean(name, default=default)
        case Choice(values, ordered, _):
            return hp.Choice(name, [*values], ordered=ordered, default=default)
        case Integer(low, high, step, scale):
            return hp.Int(name, low, high, step=step, sampling=scale, default=default)
        case Float(low, high, step, scale):
            return hp.Float(name, low, high, step=step, sampling=scale, default=default)
    raise InvalidSpace(f"Parameter {name!r} has no equivalent among HyperParameters.")
