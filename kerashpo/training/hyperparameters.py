"""`HyperParameters`: keras_tuner's, strict about definitions and holding a trial's values."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras_tuner
from keras_tuner.engine import hyperparameters as kt
from keras_tuner.src.engine.conditions import Parent

from kerashpo.core.errors import InvalidSpace
from kerashpo.core.records import Scalar
from kerashpo.space.domains import Boolean, Choice, Domain, Fixed, Float, Integer
from kerashpo.space.params import Condition, Param
from kerashpo.space.space import Space

Fill = Callable[[Param], Scalar]


class HyperParameters(keras_tuner.HyperParameters):  # type: ignore[misc]
    """A `keras_tuner.HyperParameters` that says so when a definition cannot be meant.

    Used like its parent: made by hand, passed as ``hyperparameters=``, or received by
    `build_model`. In a trial it holds that trial's values.

    Raises:
        InvalidSpace: naming the parameter, where a default is outside its range, a step is
            zero, a choice appears twice, or one call of `build_model` declares the same
            name under the same conditions in two ways.
    """

    def __init__(self) -> None:
        super().__init__()
        self._declared: dict[tuple[str, tuple[Condition, ...]], Param] = {}
        self._overrides: dict[str, Param] = {}
        self._fill: Fill = _default
        self._tune_new = True
        self._allow_new = True
        self.changed: dict[str, Scalar] = {}
        self.appeared: dict[str, Param] = {}

    @classmethod
    def with_values(cls, space: Space, values: Mapping[str, Scalar]) -> HyperParameters:
        """Returns the parameters of a space, holding a configuration's values."""
        hp = cls()
        for param in space.params:
            upstream = to_keras(param)
            hp._hps[param.name].append(upstream)
            hp._space.append(upstream)
        hp.values = dict(values)
        return hp

    def bind(
        self,
        overrides: Space | None = None,
        fill: Fill | None = None,
        tune_new: bool = True,
        allow_new: bool = True,
    ) -> HyperParameters:
        """Sets how `build_model`'s declarations are taken; returns itself.

        Args:
            overrides: definitions that win over what `build_model` says.
            fill: the value of a parameter that has none; its default if None.
            tune_new: whether parameters that are not among the overrides are tuned.
            allow_new: whether there may be such parameters at all.
        """
        self._overrides = {p.name: p for p in overrides.params} if overrides else {}
        self._fill = fill or _default
        self._tune_new, self._allow_new = tune_new, allow_new
        return self

    @property
    def declared(self) -> tuple[Param, ...]:
        """What was declared so far, in order: definitions, with their explicit conditions."""
        return tuple(self._declared.values())

    def copy(self) -> HyperParameters:
        """Returns an independent copy: definitions, values and how they are taken.

        What is declared to the copy alone, as by a `HyperModel` that is not tunable, takes its
        default: the search does not hear of it.
        """
        twin = type(self).from_config(self.get_config())
        twin._overrides = dict(self._overrides)
        twin._tune_new, twin._allow_new = self._tune_new, self._allow_new
        return twin  # type: ignore[no-any-return]

    def Choice(self, name: str, *args: Any, **kwargs: Any) -> Any:
        with _naming(name):
            return super().Choice(name, *args, **kwargs)

    def Int(self, name: str, *args: Any, **kwargs: Any) -> Any:
        with _naming(name):
            return super().Int(name, *args, **kwargs)

    def Float(self, name: str, *args: Any, **kwargs: Any) -> Any:
        with _naming(name):
            return super().Float(name, *args, **kwargs)

    def Boolean(self, name: str, *args: Any, **kwargs: Any) -> Any:
        with _naming(name):
            return super().Boolean(name, *args, **kwargs)

    def _retrieve(self, hp: Any) -> Any:
        param = self._accept(to_param(hp))
        known = self._declared.setdefault((param.name, param.conditions), param)
        if known != param:
            raise InvalidSpace(
                f"Parameter {param.name!r} is declared twice with definitions that contradict "
                f"each other: first {_say(known)}, then {_say(param)}. Give one of them "
                "another name (name_scope helps in loops)."
            )
        if not self._exists(hp.name, hp.conditions):
            self._validate_name(hp.name)
            upstream = to_keras(param)
            self._hps[hp.name].append(upstream)
            self._space.append(upstream)
        if not self._conditions_are_active(hp.conditions):
            return None
        return self._value(param)

    def _value(self, param: Param) -> Scalar:
        if param.name not in self.values:
            self.values[param.name] = self._fill(param)
            self.appeared[param.name] = param
            self.changed[param.name] = self.values[param.name]
        value: Scalar = self.values[param.name]
        if value not in param.domain:
            # A bound that depends on another value: the space is wider than this build.
            value = _project(param.domain, value)
            self.values[param.name] = self.changed[param.name] = value
        return value

    def _accept(self, param: Param) -> Param:
        """Applies the overrides and what may be new."""
        if param.name in self._overrides:
            return Param(param.name, self._overrides[param.name].domain, param.conditions)
        if not self._allow_new:
            raise InvalidSpace(
                f"build_model declares {param.name!r}, which is not among hyperparameters=, "
                "and allow_new_entries is False. Add it there, or allow new entries."
            )
        if not self._tune_new:
            return Param(param.name, Fixed(param.domain.default), param.conditions)
        return param


def to_param(hp: Any) -> Param:
    """Returns a parameter of keras_tuner's as ours.

    Raises:
        InvalidSpace: naming it, if its definition contradicts itself.
    """
    conditions = tuple(Condition(c.name, tuple(c.values)) for c in hp.conditions)
    try:
        return Param(hp.name, _domain(hp), conditions)
    except (InvalidSpace, TypeError) as error:
        raise InvalidSpace(f"Parameter {hp.name!r}: {error}.") from None


def _domain(hp: Any) -> Domain:
    match hp:
        case kt.Fixed():
            return Fixed(hp.value)
        case kt.Boolean():
            return Boolean(_checked_bool(hp.default))
        case kt.Choice():
            return Choice(tuple(hp.values), bool(hp.ordered), hp.default)
        case kt.Int():
            step = None if hp.step == 1 and hp.sampling == "linear" else hp.step
            default = _checked_number(hp.default)
            return Integer(hp.min_value, hp.max_value, step, hp.sampling, default)  # type: ignore[arg-type]
        case kt.Float():
            low, high = float(hp.min_value), float(hp.max_value)
            return Float(low, high, hp.step, hp.sampling, _checked_number(hp.default))
    raise InvalidSpace(f"expected a parameter of keras_tuner, received {hp!r}")


def to_keras(param: Param) -> Any:
    """Returns a parameter of ours as keras_tuner's."""
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
    """Returns the space of a `HyperParameters` that a user filled by hand."""
    if hyperparameters is None:
        return None
    if not isinstance(hyperparameters, keras_tuner.HyperParameters):
        raise InvalidSpace(
            "hyperparameters must be a HyperParameters (kerashpo's or keras_tuner's). "
            f"Received: {hyperparameters!r}."
        )
    return Space.of(to_param(hp) for hp in hyperparameters.space)


def _default(param: Param) -> Scalar:
    return param.domain.default


def _project(domain: Domain, value: Scalar) -> Scalar:
    match domain:
        case Integer(low, high) | Float(low, high) if isinstance(value, (int, float)):
            return domain.at(domain.unit(min(max(value, low), high)))
    return domain.default


def _checked_number(value: Any) -> Any:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise InvalidSpace(f"default must be a number, received {value!r}")
    return value


def _checked_bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidSpace(f"default must be True or False, received {value!r}")
    return value


def _say(param: Param) -> str:
    return ", ".join(f"{k}={v}" for k, v in param.domain.to_json().items())


@contextlib.contextmanager
def _naming(name: str) -> Iterator[None]:
    """Adds the parameter's name to what keras_tuner raises."""
    try:
        yield
    except InvalidSpace:
        raise
    except (ValueError, TypeError) as error:
        raise InvalidSpace(f"Parameter {name!r}: {error}") from error
