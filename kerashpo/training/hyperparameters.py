"""`HyperParameters`: a subclass of keras_tuner's that checks definitions."""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras_tuner
from keras_tuner.src.engine.conditions import Parent

from kerashpo.core.errors import InvalidSpace
from kerashpo.core.records import Scalar
from kerashpo.space.domains import Domain, Fixed
from kerashpo.space.params import Condition, Param
from kerashpo.space.projection import nearest_value
from kerashpo.space.space import Space
from kerashpo.training.keras_tuner_params import to_keras, to_param

Fill = Callable[[Param], Scalar]
_TO_THE_CALLER = 5
"""Frames from a warning to the line of `build_model` that it is about."""


class AllDeclared(BaseException):
    """Raised to end a build once it has declared the hyperparameters of interest."""


class HyperParameters(keras_tuner.HyperParameters):  # type: ignore[misc]
    """`keras_tuner.HyperParameters` with checked definitions.

    Used like its parent: made by hand, passed as ``hyperparameters=``, or received by
    `build_model`. In a trial it holds that trial's values.

    Questionable definitions that KerasTuner accepts are interpreted as KerasTuner does, with one
    warning that names the parameter: a name declared twice with different definitions (the first
    one is used), a default between the steps of its range (used unchanged), a range that the step
    does not divide (its end is never reached), the same choice twice (it counts once).

    Args:
        strict: whether a questionable definition is an error.

    Raises:
        InvalidSpace: naming the parameter, if a default is outside its range, a step is zero, or
            `strict` is True and a definition is questionable.
    """

    def __init__(self, strict: bool = False) -> None:
        super().__init__()
        self._strict = strict
        self._warned: set[str] = set()
        self._declared: dict[tuple[str, tuple[Condition, ...]], Param] = {}
        self._overrides: dict[str, Param] = {}
        self._given: dict[str, list[Domain]] = {}
        self._fill: Fill = _default
        self._awaited: set[str] | None = None
        self._projects = False
        self._tune_new = True
        self._allow_new = True
        self.read: set[str] = set()
        self.changed: dict[str, Scalar] = {}
        self.unreported = False
        self.appeared: dict[str, Param] = {}

    @classmethod
    def with_values(cls, space: Space, values: Mapping[str, Scalar]) -> HyperParameters:
        """Returns the hyperparameters of a space with the values of a configuration."""
        hp = cls()
        for param in space.params:
            upstream = to_keras(param)
            hp._hps[param.name].append(upstream)
            hp._space.append(upstream)
            hp._given.setdefault(param.name, []).append(param.domain)
        hp.values = dict(values)
        return hp

    def bind(
        self,
        overrides: Space | None = None,
        fill: Fill | None = None,
        tune_new: bool = True,
        allow_new: bool = True,
        strict: bool = False,
        warned: set[str] | None = None,
    ) -> HyperParameters:
        """Sets how `build_model`'s declarations are interpreted; returns itself.

        Args:
            overrides: definitions that take precedence over those of `build_model`.
            fill: returns the value of a parameter without one; None for the default.
            tune_new: whether parameters that are not among the overrides are tuned.
            allow_new: whether such parameters are allowed.
            strict: see `HyperParameters`.
            warned: the warnings given already, shared by the builds of a search.
        """
        self._strict = strict
        self._warned = set() if warned is None else warned
        self._overrides = {p.name: p for p in overrides.params} if overrides else {}
        self._fill = fill or _default
        self._tune_new, self._allow_new = tune_new, allow_new
        self._projects = True
        return self

    def end_after(self, names: Iterable[str]) -> None:
        """Ends the build by raising `AllDeclared` once all of these names are declared."""
        self._awaited = set(names)

    @property
    def declared(self) -> tuple[Param, ...]:
        """The definitions declared so far, in order, with their explicit conditions."""
        return tuple(self._declared.values())

    def copy(self) -> HyperParameters:
        """Returns an independent copy: definitions, values and settings.

        A parameter declared only to the copy, e.g. by a `HyperModel` that is not tunable, has its
        default value and is not part of the search space.
        """
        twin = type(self).from_config(self.get_config())
        twin._strict, twin._warned = self._strict, self._warned
        twin._overrides = dict(self._overrides)
        twin._tune_new, twin._allow_new = self._tune_new, self._allow_new
        twin._projects = self._projects
        return twin  # type: ignore[no-any-return]

    @contextlib.contextmanager
    def conditional_scope(self, parent_name: str, parent_values: Sequence[Any]) -> Iterator[None]:
        """Declares the parameters inside under a condition, as KerasTuner does.

        Unlike in KerasTuner, the parent may be declared outside of an enclosing conditional
        scope, for example one of the same parent.

        Raises:
            InvalidSpace: if the parent was not declared before, under conditions that hold here.
        """
        name = self._get_name(parent_name)
        known = self._hps.get(name, ())
        if not any(all(c in self._conditions for c in hp.conditions) for hp in known):
            raise InvalidSpace(
                f"`HyperParameter` named: {name} not defined. Declare it before a "
                "conditional_scope refers to it."
            )
        condition = Parent(name, parent_values)
        self._conditions.append(condition)
        active = condition.is_active(self.values)
        (self.active_scopes if active else self.inactive_scopes).append(
            copy.deepcopy(self._conditions)
        )
        try:
            yield
        finally:
            self._conditions.pop()

    def get(self, name: str) -> Any:
        """Returns a parameter's value, as KerasTuner does."""
        self.read.add(self._get_name(name))
        return super().get(name)

    def Choice(
        self,
        name: str,
        values: Sequence[Scalar],
        ordered: bool | None = None,
        default: Scalar | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Declares a categorical parameter and returns its value in this trial.

        Args:
            name: the parameter's name, which is unique.
            values: its possible values: numbers, strings or booleans, all of one type.
            ordered: whether neighbours in `values` are similar; None: numbers are.
            default: the value of the default configuration; None: the first one.
            parent_name: the parameter on which this one depends; None for no dependence.
            parent_values: the parent's value, or a list of them, where this one is active.
        """
        with _with_name(name):
            return super().Choice(name, values, ordered, default, parent_name, parent_values)

    def Int(
        self,
        name: str,
        min_value: int,
        max_value: int,
        step: int | None = None,
        sampling: str | None = "linear",
        default: int | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Declares an integer parameter and returns its value in this trial.

        Args:
            name: the parameter's name, which is unique.
            min_value: the lowest value.
            max_value: the highest value; it is among those tried.
            step: distance of two neighbouring values, from `min_value` on; the factor between
                them with ``sampling="log"``. None is 1, or no grid on a logarithmic scale.
            sampling: ``"linear"``, ``"log"`` or ``"reverse_log"``: the scale that is sampled
                uniformly.
            default: the value of the default configuration; None: `min_value`.
            parent_name: the parameter on which this one depends; None for no dependence.
            parent_values: the parent's value, or a list of them, where this one is active.
        """
        with _with_name(name):
            return super().Int(
                name, min_value, max_value, step, sampling, default, parent_name, parent_values
            )

    def Float(
        self,
        name: str,
        min_value: float,
        max_value: float,
        step: float | None = None,
        sampling: str | None = "linear",
        default: float | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Declares a real parameter and returns its value in this trial.

        Args:
            name: the parameter's name, which is unique.
            min_value: the lowest value.
            max_value: the highest value.
            step: distance of two neighbouring values, from `min_value` on; the factor between
                them with ``sampling="log"``. None for a continuous range.
            sampling: ``"linear"``, ``"log"`` or ``"reverse_log"``: the scale that is sampled
                uniformly.
            default: the value of the default configuration; None: `min_value`.
            parent_name: the parameter on which this one depends; None for no dependence.
            parent_values: the parent's value, or a list of them, where this one is active.
        """
        with _with_name(name):
            return super().Float(
                name, min_value, max_value, step, sampling, default, parent_name, parent_values
            )

    def Boolean(
        self,
        name: str,
        default: bool = False,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Declares a parameter that is True or False and returns its value in this trial.

        Args:
            name: the parameter's name, which is unique.
            default: the value of the default configuration.
            parent_name: the parameter on which this one depends; None for no dependence.
            parent_values: the parent's value, or a list of them, where this one is active.
        """
        with _with_name(name):
            return super().Boolean(name, default, parent_name, parent_values)

    def _retrieve(self, hp: Any) -> Any:
        questionable: list[str] = []
        given = self._accept(to_param(hp, questionable))
        for text in questionable if hp.name not in self._overrides else ():
            self._warn_once(text)
        self.unreported = True
        param = self._declared.setdefault((given.name, given.conditions), given)
        if param != given:
            self._warn_once(
                f"Parameter {param.name!r} is declared twice with definitions that contradict "
                f"each other: first {_described(param)}, then {_described(given)}. The first one "
                "holds. Give one of them another name (name_scope helps in loops)."
            )
        if not self._exists(hp.name, hp.conditions):
            self._validate_name(hp.name)
            upstream = to_keras(param)
            self._hps[hp.name].append(upstream)
            self._space.append(upstream)
        active = self._conditions_are_active(hp.conditions)
        value = self._value(param) if active else None
        if self._awaited is not None:
            self._awaited.discard(param.name)
            if not self._awaited:
                raise AllDeclared
        return value

    def _value(self, param: Param) -> Scalar:
        if param.name not in self.values:
            self.values[param.name] = self._fill(param)
            self.appeared[param.name] = param
            self.changed[param.name] = self.values[param.name]
        value: Scalar = self.values[param.name]
        if value in param.domain and param.domain in self._given.get(param.name, [param.domain]):
            return value
        if not self._projects and not any(value in d for d in self._given.get(param.name, ())):
            return value  # not of the search space: set by the user, as in KerasTuner
        # A bound depends on another value, so the space is wider than the range of this build.
        nearest = nearest_value(param.domain, value)
        if nearest != value:
            self.values[param.name] = self.changed[param.name] = nearest
        return nearest

    def _warn_once(self, text: str) -> None:
        """Warns once of a questionable definition; raises if `strict`."""
        if self._strict:
            raise InvalidSpace(text)
        if text not in self._warned:
            self._warned.add(text)
            warnings.warn(f"{text} strict=True makes this an error.", stacklevel=_TO_THE_CALLER)

    def _accept(self, param: Param) -> Param:
        """Applies the overrides and the settings for new parameters to a definition."""
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


def _default(param: Param) -> Scalar:
    return param.domain.default


def _described(param: Param) -> str:
    return ", ".join(f"{k}={v}" for k, v in param.domain.to_json().items())


@contextlib.contextmanager
def _with_name(name: str) -> Iterator[None]:
    """Context that adds the parameter's name to exceptions of keras_tuner."""
    try:
        yield
    except InvalidSpace:
        raise
    except (ValueError, TypeError) as error:
        raise InvalidSpace(f"Parameter {name!r}: {error}") from error
