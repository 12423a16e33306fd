"""From and to a `ConfigSpace.ConfigurationSpace`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from kerashpo.core.errors import InvalidInput, InvalidSpace, MissingExtra
from kerashpo.core.records import Scalar
from kerashpo.space.domains import Boolean, Choice, Domain, Fixed, Float, Integer
from kerashpo.space.params import Condition, Param

_ABSENT = "needs ConfigSpace: python -m pip install 'kerashpo[configspace]'."
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "EqualsCondition": lambda value, bound: value == bound,
    "NotEqualsCondition": lambda value, bound: value != bound,
    "InCondition": lambda value, bounds: value in bounds,
    "GreaterThanCondition": lambda value, bound: value > bound,
    "LessThanCondition": lambda value, bound: value < bound,
}
_MOST_LISTED = 1000


def params_of(space: Any) -> list[Param]:
    """Returns the parameters of a configuration space.

    Conditions of any kind become the parent's values under which they hold.

    Raises:
        MissingExtra: if ConfigSpace is not installed.
        InvalidSpace: for a distribution without a counterpart, weights, a forbidden clause, or
            one condition *or* another.
    """
    try:
        from ConfigSpace import ConfigurationSpace
    except ImportError:
        raise MissingExtra(f"from_configspace {_ABSENT}") from None
    if not isinstance(space, ConfigurationSpace):
        raise InvalidInput(
            f"from_configspace takes a ConfigurationSpace. Received: {type(space).__name__}."
        )
    if space.forbidden_clauses:
        raise InvalidSpace(
            "Forbidden clauses have no counterpart here: have your function raise an error for "
            f"such configurations. Received: {space.forbidden_clauses[0]}."
        )
    domains = {one.name: _domain(one) for one in space.values()}
    conditions: dict[str, list[Condition]] = {name: [] for name in domains}
    for condition in space.conditions:
        for one in _flat(condition):
            conditions[one.child.name].append(_condition(one, domains))
    return [Param(name, domain, tuple(conditions[name])) for name, domain in domains.items()]


def _flat(condition: Any) -> list[Any]:
    kind = type(condition).__name__
    if kind == "AndConjunction":
        return [one for part in condition.components for one in _flat(part)]
    if kind not in _COMPARED:
        raise InvalidSpace(f"A {kind} has no counterpart here: {condition}.")
    return [condition]


def _condition(one: Any, domains: dict[str, Domain]) -> Condition:
    parent = domains[one.parent.name]
    if not 0 < parent.levels <= _MOST_LISTED:
        raise InvalidSpace(
            f"Parameter {one.child.name!r} depends on {one.parent.name!r}, which has too many "
            "values to list them."
        )
    holds = _COMPARED[type(one).__name__]
    bound = one.values if hasattr(one, "values") else one.value
    values = tuple(v for v in parent.listed() if holds(parent.realise(v), bound))
    return Condition(one.parent.name, values)


def _domain(one: Any) -> Domain:
    match type(one).__name__:
        case "UniformFloatHyperparameter":
            scale = "log" if one.log else "linear"
            return Float(float(one.lower), float(one.upper), None, scale, float(one.default_value))  # type: ignore[arg-type]
        case "UniformIntegerHyperparameter":
            scale = "log" if one.log else "linear"
            return Integer(int(one.lower), int(one.upper), None, scale, int(one.default_value))  # type: ignore[arg-type]
        case "CategoricalHyperparameter" if one.weights is None or len(set(one.weights)) == 1:
            choices = tuple(map(_plain, one.choices))
            default = _plain(one.default_value)
            if set(map(type, choices)) == {bool}:
                return Boolean(default)
            return Choice(choices, False, default)
        case "OrdinalHyperparameter":
            return Choice(tuple(map(_plain, one.sequence)), True, _plain(one.default_value))
        case "Constant":
            return Fixed(_plain(one.value))
    what = "weights of a choice" if hasattr(one, "choices") else type(one).__name__
    raise InvalidSpace(f"Parameter {one.name!r}: {what} cannot be said here.")


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def configuration_space_of(params: Sequence[Param], name: str | None, seed: int | None) -> Any:
    """Returns a `ConfigurationSpace`.

    Steps become the list of their values.

    Raises:
        MissingExtra: if ConfigSpace is not installed.
        InvalidSpace: for a name that is declared twice, or a reversed logarithm.
    """
    try:
        import ConfigSpace
    except ImportError:
        raise MissingExtra(f"to_configspace {_ABSENT}") from None
    names = [param.name for param in params]
    twice = next((one for one in names if names.count(one) > 1), None)
    if twice is not None:
        raise InvalidSpace(f"Parameter {twice!r} is declared several times: ConfigSpace has one.")
    space = ConfigSpace.ConfigurationSpace(name=name, seed=seed)
    made = {param.name: _hyperparameter(param) for param in params}
    space.add(list(made.values()))
    domains = {param.name: param.domain for param in params}
    for param in params:
        found = [
            ConfigSpace.InCondition(
                made[param.name], made[c.parent], [_value(domains[c.parent], v) for v in c.values]
            )
            for c in param.conditions
        ]
        if found:
            space.add(found[0] if len(found) == 1 else ConfigSpace.AndConjunction(*found))
    return space


def _value(domain: Domain, stored: Scalar) -> Any:
    return domain.realise(stored)


def _hyperparameter(param: Param) -> Any:
    from ConfigSpace import (
        CategoricalHyperparameter,
        Constant,
        OrdinalHyperparameter,
        UniformFloatHyperparameter,
        UniformIntegerHyperparameter,
    )

    name, domain = param.name, param.domain
    default = domain.realise(domain.default)
    if domain.levels == 1:
        return Constant(name, default)
    match domain:
        case Float(low, high, None, "linear" | "log" as scale):
            return UniformFloatHyperparameter(name, low, high, default, log=scale == "log")
        case Integer(low, high, None, "linear" | "log" as scale):
            return UniformIntegerHyperparameter(name, low, high, default, log=scale == "log")
        case Float() | Integer() if 0 < domain.levels <= _MOST_LISTED:
            values = list(domain.listed())
            nearest = min(values, key=lambda value: math.fabs(float(value) - float(default)))  # type: ignore[arg-type]
            return OrdinalHyperparameter(name, values, default_value=nearest)
        case Choice(values, True):
            return OrdinalHyperparameter(name, list(values), default_value=default)
        case Choice(values):
            return CategoricalHyperparameter(name, list(values), default_value=default)
        case Boolean():
            return CategoricalHyperparameter(name, [False, True], default_value=default)
    raise InvalidSpace(f"Parameter {name!r}: ConfigSpace has no counterpart of {domain!r}.")
