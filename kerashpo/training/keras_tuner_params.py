"""Converts hyperparameters between keras_tuner and `Param`; checks their definitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras_tuner
from keras_tuner.engine import hyperparameters as kt
from keras_tuner.src.engine.conditions import Parent

from kerashpo.core.errors import InvalidSpace
from kerashpo.space.definition_checks import between_steps, beyond_steps
from kerashpo.space.domains import Boolean, Choice, Domain, Fixed, Float, Integer
from kerashpo.space.params import Condition, Param
from kerashpo.space.space import Space


def to_param(hp: Any, questionable: list[str] | None = None) -> Param:
    """Converts a keras_tuner hyperparameter to a `Param`.

    Args:
        hp: the hyperparameter.
        questionable: a list to which a sentence is appended for each questionable detail.

    Raises:
        InvalidSpace: naming the hyperparameter, if its definition contradicts itself.
    """
    conditions = tuple(Condition(c.name, tuple(c.values)) for c in hp.conditions)
    found: list[str] = []
    try:
        param = Param(hp.name, _domain(hp, found), conditions)
    except (InvalidSpace, TypeError) as error:
        raise InvalidSpace(f"Parameter {hp.name!r}: {error}.") from None
    if questionable is not None:
        questionable += [f"Parameter {hp.name!r}: {text}." for text in found]
    return param


def _domain(hp: Any, questionable: list[str]) -> Domain:
    """Returns a hyperparameter's domain; appends questionable details to `questionable`."""
    match hp:
        case kt.Fixed():
            return Fixed(hp.value)
        case kt.Boolean():
            return Boolean(_checked_bool(hp.default))
        case kt.Choice():
            return Choice(_distinct(hp.values, questionable), bool(hp.ordered), hp.default)
        case kt.Int():
            step = None if hp.step == 1 and hp.sampling == "linear" else hp.step
            default = _checked_number(hp.default)
            whole = Integer(hp.min_value, hp.max_value, step, hp.sampling, default)  # type: ignore[arg-type]
            questionable += filter(None, (between_steps(whole), beyond_steps(whole)))
            return whole
        case kt.Float():
            low, high = float(hp.min_value), float(hp.max_value)
            real = Float(low, high, hp.step, hp.sampling, _checked_number(hp.default))
            questionable += filter(None, (between_steps(real), beyond_steps(real)))
            return real
    raise InvalidSpace(f"expected a parameter of keras_tuner, received {hp!r}")


def _distinct(values: Sequence[Any], questionable: list[str]) -> tuple[Any, ...]:
    """Returns the values of a choice, each once."""
    kept: list[Any] = []
    for value in values:
        if any(type(value) is type(other) and value == other for other in kept):
            questionable.append(
                f"the value {value!r} appears twice among the choices; it counts once"
            )
        else:
            kept.append(value)
    return tuple(kept)


def to_keras(param: Param) -> Any:
    """Converts a `Param` to a keras_tuner hyperparameter."""
    conditions = [Parent(c.parent, list(c.values)) for c in param.conditions]
    match param.domain:
        case Fixed(value):
            return kt.Fixed(param.name, value, conditions=conditions)
        case Boolean(preset):
            return kt.Boolean(param.name, default=preset, conditions=conditions)
        case Choice(values, ordered, _):
            numeric = isinstance(values[0], (int, float))
            return kt.Choice(
                param.name,
                list(values),
                ordered=ordered and numeric,
                default=param.domain.default,
                conditions=conditions,
            )
        case Integer(low, high, step, scale) | Float(low, high, step, scale):
            cls = kt.Int if isinstance(param.domain, Integer) else kt.Float
            return cls(
                param.name,
                low,
                high,
                step=step,
                sampling=scale,
                default=param.domain.default,
                conditions=conditions,
            )
    raise InvalidSpace(f"Parameter {param.name!r} has no equivalent in keras_tuner.")


def to_space(hyperparameters: Any) -> Space | None:
    """Returns the space of a `HyperParameters` object that a user passed, None for None."""
    if hyperparameters is None:
        return None
    if not isinstance(hyperparameters, keras_tuner.HyperParameters):
        raise InvalidSpace(
            "hyperparameters must be a HyperParameters (kerashpo's or keras_tuner's). "
            f"Received: {hyperparameters!r}."
        )
    return Space.of(to_param(hp) for hp in hyperparameters.space)


def _checked_number(value: Any) -> Any:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise InvalidSpace(f"default must be a number, received {value!r}")
    return value


def _checked_bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidSpace(f"default must be True or False, received {value!r}")
    return value
