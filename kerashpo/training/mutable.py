"""Mutable hyperparameters: those that do not affect the number and shapes of a model's variables.

A fork inherits its parent's weights and optimizer state, so a parameter that affects the number
or shapes of variables cannot change during training. To find the mutable ones, models are built,
without allocating variables where possible.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import keras

from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import Config, Scalar
from kerashpo.core.rng import stream
from kerashpo.schedulers.pbt import check_mutate
from kerashpo.space.domains import Domain
from kerashpo.space.params import Param
from kerashpo.space.space import Space
from kerashpo.training.model_state import state_variables
from kerashpo.training.randomness import seed_variables
from kerashpo.training.symbolic_build import symbolic_build

Signature: TypeAlias = "tuple[Any, ...]"
Build: TypeAlias = Callable[[Config], keras.Model]

_DRAWS = 64
"""Configurations sampled to find one in which a conditional parameter is active."""
_VALUES = 3
"""Values tried per parameter, both bounds included; for a choice up to eight values."""
_CHOICES = 8


def mutable_names(build: Build, space: Space, names: Sequence[str] | None = None) -> list[str]:
    """Returns the parameters that may change during training.

    Args:
        build: builds the model of a configuration.
        space: the search space.
        names: the parameters that the user wants to change; None for all numbers and ordered
            choices that can change. An unordered choice must be named.

    Raises:
        InvalidInput: for a name that is not in the space, has a single value, or changes shapes;
            or if no parameter can change.
    """
    check_mutate(space, names)
    shapes = _Shapes(build, space)
    if names is None:
        numbers = [p.name for p in space.free if not p.domain.categorical]
        found = [name for name in dict.fromkeys(numbers) if shapes.differing(name) is None]
        if not found:
            raise InvalidInput(
                "Population-based training changes values during training, but every parameter "
                "decides a shape or is a choice without order. Declare one that can change (a "
                "learning rate, say), or name choices in mutate=[...]."
            )
        return found
    for name in names:
        if (pair := shapes.differing(name)) is not None:
            raise InvalidInput(
                f"mutate names {name!r}, which cannot change during training: models with "
                f"{pair[0]!r} and {pair[1]!r} have other variables, so one cannot take over the "
                "other's weights and optimizer. Leave it out: it is then searched at the start "
                "only."
            )
    return list(dict.fromkeys(names))


class _Shapes:
    """Variable shapes of models by configuration, cached."""

    def __init__(self, build: Build, space: Space) -> None:
        self._build, self._space = build, space
        self._known: dict[Any, Signature | None] = {}

    def differing(self, name: str) -> tuple[Scalar, Scalar] | None:
        """Returns two values of a parameter whose models have different variables, or None."""
        for param in self._space.free:
            base = self._base(param) if param.name == name else None
            if base is None:
                continue
            signature = self._of(base)
            for value in _tried(param.domain):
                other = self._space.project(self._with(base, name, value))
                if self._of(other) != signature:
                    return base[name], value
        return None

    def _base(self, param: Param) -> Config | None:
        """Returns a configuration in which a parameter is active, the default one if possible."""
        config, rng = self._space.default(), stream(0, "mutable")
        for _ in range(_DRAWS):
            if param.name in config and param.active(config):
                return config
            config = self._space.sample(rng)
        return None

    def _with(self, config: Config, name: str, value: Scalar) -> Config:
        """Returns a configuration with one value changed; parameters it activates get defaults."""
        wanted: Mapping[str, Scalar] = {**config, name: value}
        found: dict[str, Scalar] = {}
        for param in self._space.params:
            if param.active(found):
                given = wanted.get(param.name)
                known = param.name in wanted and given in param.domain
                found[param.name] = given if known else param.domain.default
        return found

    def _of(self, config: Config) -> Signature | None:
        """Returns the signature of a model's variables; None if it cannot be built."""
        key = tuple(sorted(config.items()))
        if key not in self._known:
            self._known[key] = self._look(config)
        return self._known[key]

    def _look(self, config: Config) -> Signature | None:
        for scope in (symbolic_build, contextlib.nullcontext):
            with contextlib.suppress(Exception), scope():
                return _signature(self._build(config))
        return None  # A trial with such values fails for the same reason.


def _tried(domain: Domain) -> Collection[Scalar]:
    if domain.categorical and domain.levels <= _CHOICES:
        return list(domain.listed())
    return [domain.at(i / (_VALUES - 1)) for i in range(_VALUES)]


def _signature(model: keras.Model) -> Signature:
    """Returns shapes and types of every variable of the training state, and of unbuilt layers.

    An unbuilt layer has no variables yet. Its integer and string arguments may decide their
    shapes, so they are part of the signature; its other numbers are not.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and model.built:
        optimizer.build(model.trainable_variables)
    # Seed generators are set for every epoch; a dropout layer of rate 0 has none.
    seeds = {id(variable) for variable in seed_variables(model)}
    state = [variable for variable in state_variables(model) if id(variable) not in seeds]
    variables = tuple((tuple(v.shape), str(v.dtype)) for v in state)
    kinds = tuple(_kinds(optimizer)) if optimizer is not None else ()
    layers = () if model.built else tuple(_describe(layer) for layer in model._flatten_layers())
    return (variables, kinds, layers)


def _kinds(optimizer: Any) -> Iterator[str]:
    """Yields the classes of an optimizer and of the one that it wraps."""
    yield type(optimizer).__name__
    if (inner := getattr(optimizer, "inner_optimizer", None)) is not None:
        yield from _kinds(inner)


def _describe(layer: Any) -> tuple[Any, ...]:
    try:
        config = layer.get_config()
    except (NotImplementedError, TypeError):
        config = {}
    fixed = {k: repr(v) for k, v in config.items() if k != "name" and _is_fixed(v)}
    return (type(layer).__name__, tuple(sorted(fixed.items())))


def _is_fixed(value: Any) -> bool:
    """Returns whether a value may decide a shape: an integer, a string, or several of them."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_fixed, value))
    return value is None or isinstance(value, (int, str))
