"""A grid as an odometer: what comes after a configuration, in a space that may grow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerashpo.core.records import Config, Scalar
from kerashpo.space.domains import Domain
from kerashpo.space.params import Param
from kerashpo.space.space import Space

_SAMPLES = 10


def marks(domain: Domain) -> list[Scalar]:
    """Returns the values of one parameter in the order of the walk.

    The default comes first, since a parameter that appears late had it before. A continuum
    is its default and ten values, as in KerasTuner's grid.
    """
    if domain.levels:
        values = list(domain.listed())
    else:
        values = [domain.at((index + 0.5) / _SAMPLES) for index in range(_SAMPLES)]
    return [domain.default, *(value for value in values if value != domain.default)]


def successor(space: Space, values: Mapping[str, Any]) -> Config | None:
    """Returns the next configuration after one, the last parameter fastest; None at the end.

    Args:
        space: as it is known now.
        values: of a trial; what they lack is at its default.
    """
    active = _active(space, values)
    for index in range(len(active) - 1, -1, -1):
        param = active[index]
        steps = marks(param.domain)
        place = _place(param, values)
        if place + 1 < len(steps):
            kept = {p.name: mark_at(p, values) for p in active[:index]}
            return _complete(space, {**kept, param.name: steps[place + 1]})
    return None


def position(space: Space, values: Mapping[str, Any]) -> tuple[int, ...]:
    """Returns a sort key: where the walk meets a configuration."""
    places = {id(param): _place(param, values) for param in _active(space, values)}
    return tuple(places.get(id(param), 0) for param in space.params)


def mark_at(param: Param, values: Mapping[str, Any]) -> Scalar:
    """Returns a parameter's value as one of its marks."""
    return marks(param.domain)[_place(param, values)]


def _place(param: Param, values: Mapping[str, Any]) -> int:
    steps = marks(param.domain)
    value = values.get(param.name, param.domain.default)
    same = (i for i, step in enumerate(steps) if _equal(step, value))
    return next(same, 0)


def _equal(step: Scalar, value: Any) -> bool:
    return isinstance(step, bool) == isinstance(value, bool) and bool(step == value)


def _active(space: Space, values: Mapping[str, Any]) -> list[Param]:
    found: list[Param] = []
    known: dict[str, Scalar] = {}
    for param in space.params:
        if param.active(known):
            known[param.name] = mark_at(param, values)
            found.append(param)
    return found


def _complete(space: Space, values: Mapping[str, Scalar]) -> Config:
    config: dict[str, Scalar] = {}
    for param in space.params:
        if param.active(config):
            config[param.name] = values.get(param.name, param.domain.default)
    return config
