"""`Space`: an ordered set of parameters, with sampling, checking and serialisation."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias, final

import numpy as np

from kerashpo.core.errors import InvalidSpace, nearest
from kerashpo.core.records import Config, Scalar
from kerashpo.space.constructors import read
from kerashpo.space.domains import Choice, Float, Integer
from kerashpo.space.formats.definitions import mapping_of, parts_of, read_file
from kerashpo.space.lazy import Lazy
from kerashpo.space.params import Param
from kerashpo.space.perturb import STEP, perturbed

Key: TypeAlias = "tuple[tuple[str, Scalar], ...]"
Projection: TypeAlias = Callable[[Config], Config]
_PROJECTIONS = 10_000


@final
class Space:
    """A search space: an ordered set of parameters, parents before their children.

    Args:
        *parts: mappings of names to domains, nested mappings and `when(...)` blocks;
            several are merged.

    Raises:
        InvalidSpace: if a definition or a condition is wrong, with the parameter's name.
    """

    def __init__(self, *parts: Mapping[str, Any]) -> None:
        self.params: tuple[Param, ...] = _in_order(read(parts))
        self.projection: Projection | None = None
        _check_names(self.params)

    @classmethod
    def of(cls, params: Iterable[Param]) -> Space:
        """Returns the space of the given parameters."""
        space = cls()
        space.params = _in_order(tuple(params))
        return space

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Space:
        """Returns the space of a plain mapping, as files hold it (see docs/spaces.md).

        Raises:
            InvalidSpace: naming the entry that is no definition.
        """
        return cls(*parts_of(body))

    @classmethod
    def from_file(cls, path: str | Path) -> Space:
        """Returns the space in a TOML or JSON file: its table ``space``, or the whole file.

        Raises:
            InvalidInput: if there is no such file, or it holds no space.
        """
        body = read_file(path)
        own = body.get("space")
        nested = isinstance(own, Mapping) and not isinstance(own.get("type"), str)
        return cls.from_dict(own if nested else body)  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, Any]:
        """Returns the space as a plain mapping, which `from_dict` reads.

        Raises:
            InvalidSpace: for a choice among objects, which no file can hold.
        """
        return mapping_of(self.params)

    @property
    def names(self) -> tuple[str, ...]:
        """The distinct names, in order."""
        return tuple(dict.fromkeys(param.name for param in self.params))

    @cached_property
    def free(self) -> tuple[Param, ...]:
        """The parameters that have more than one value: the columns of the unit cube."""
        return tuple(param for param in self.params if param.domain.levels != 1)

    @cached_property
    def size(self) -> float:
        """The number of configurations, inf if a parameter is continuous."""
        return _count(self.params, {})

    def active(self, config: Config) -> list[Param]:
        """Returns the parameters that exist under the values in `config`."""
        return [param for param in self.params if param.active(config)]

    def complete(self, values: Mapping[str, Any]) -> Config:
        """Returns a configuration from some values, defaults for the others.

        Raises:
            InvalidSpace: for an unknown name, or a value outside its domain.
        """
        unknown = [name for name in values if name not in self.names]
        if unknown:
            hint = nearest(unknown[0], self.names)
            raise InvalidSpace(f"The space has no parameter {unknown[0]!r}.{hint}")
        config: dict[str, Scalar] = {}
        for param in self.params:
            if param.active(config):
                value = values.get(param.name, param.domain.default)
                config[param.name] = self._checked(param, value)
        return config

    def default(self) -> Config:
        """Returns the default configuration."""
        return self.complete({})

    def sample(self, rng: np.random.Generator) -> Config:
        """Returns a random configuration, every parameter by its own distribution."""
        config: dict[str, Scalar] = {}
        for param in self.params:
            if param.active(config):
                u = rng.random() if param.domain.levels != 1 else 0.5
                config[param.name] = param.domain.at(u)
        return config

    def perturb(
        self,
        config: Config,
        rng: np.random.Generator,
        names: Collection[str] | None = None,
        resample: float = 0.25,
        *,
        step: float = STEP,
        resample_choices: float | None = None,
    ) -> Config:
        """Returns a perturbed copy of a configuration of this space, see `perturbed`."""
        found = perturbed(self.params, config, rng, names, step, resample, resample_choices)
        return self.project(found)

    def __contains__(self, config: object) -> bool:
        if not isinstance(config, Mapping):
            return False
        active = {param.name: param for param in self.active(config)}
        return set(active) == set(config) and all(
            config[name] in param.domain for name, param in active.items()
        )

    def with_projection(self, projection: Projection | None) -> Space:
        """Returns this space with a projection, see `project`; the log does not contain it."""
        space = Space.of(self.params)
        # The projection builds a model: its result is cached.
        space.projection = None if projection is None else _cached(projection)
        return space

    def project(self, config: Config) -> Config:
        """Returns the configuration that is trained if this one is proposed.

        They differ only if a range or a choice depends on other values
        (``hp.Int("b", 1, hp.Int("a", 1, 4))``): the space contains every value that may occur,
        and the nearest value that is valid under the others is trained.
        """
        return config if self.projection is None else self.projection(config)

    def configs(self, seen: Container[Key] = ()) -> Iterator[Config]:
        """Yields every configuration of a finite space once, the last parameter fastest.

        Those that are trained as other configurations (`project`) are left out.

        Args:
            seen: keys of configurations to leave out.

        Raises:
            InvalidSpace: if a parameter is continuous.
        """
        endless = [param.name for param in self.params if param.domain.levels == 0]
        if endless:
            raise InvalidSpace(
                f"A grid needs finite domains, but {', '.join(endless)} "
                f"{'has' if len(endless) == 1 else 'have'} no step. Give it a step or a choice."
            )
        for config in _product(self.params, {}):
            if (not seen or key(config) not in seen) and self.project(config) == config:
                yield config

    def realise(self, config: Config) -> dict[str, Any]:
        """Returns the values that a user's function receives: indices become their choices."""
        by_name = {param.name: param.domain for param in self.active(config)}
        return {
            name: by_name[name].realise(value) if name in by_name else value
            for name, value in config.items()
        }

    def to_json(self) -> dict[str, Any]:
        """Returns the space as JSON."""
        return {"params": [param.to_json() for param in self.params]}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Space:
        """Returns the space serialised by `to_json`."""
        return cls.of(Param.from_json(param) for param in body["params"])

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits, equal for equal spaces."""
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Space) and self.params == other.params

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        return f"Space({', '.join(self.names)}; {self.size:g} configurations)"

    @staticmethod
    def _checked(param: Param, value: Any) -> Scalar:
        domain = param.domain
        value = value.item() if isinstance(value, np.generic) else value
        try:
            if isinstance(domain, Choice) and not domain.scalar:
                known = isinstance(value, int) and value in domain
                value = value if known else domain.store(value)
            domain.unit(value)
        except InvalidSpace as error:
            raise InvalidSpace(f"Parameter {param.name!r}: {error}.") from None
        match domain:
            case Integer():
                return int(value)
            case Float():
                return float(value)
        return value  # type: ignore[no-any-return]


def key(config: Config) -> Key:
    """Returns a hashable identity: equal configurations have equal keys."""
    return tuple(sorted(config.items()))


def _cached(projection: Projection) -> Projection:
    known: dict[Key, Config] = {}

    def project(config: Config) -> Config:
        place = key(config)
        if place not in known:
            if len(known) >= _PROJECTIONS:
                known.clear()
            known[place] = projection(config)
        return known[place]

    return project


def _in_order(params: tuple[Param, ...]) -> tuple[Param, ...]:
    """Checks names and conditions, and puts parents before their children."""
    seen: set[tuple[str, Any]] = set()
    for param in params:
        if (param.name, param.conditions) in seen:
            raise InvalidSpace(f"Parameter {param.name!r} is declared twice.")
        seen.add((param.name, param.conditions))
        _check_conditions(param, params)
    ordered: list[Param] = []
    waiting = list(params)
    while waiting:
        names = {param.name for param in waiting}
        ready = [p for p in waiting if not any(c.parent in names for c in p.conditions)]
        if not ready:
            raise InvalidSpace(f"The conditions of {', '.join(sorted(names))} form a circle.")
        ordered.extend(ready)
        waiting = [p for p in waiting if any(c.parent in names for c in p.conditions)]
    position = {id(param): index for index, param in enumerate(params)}
    return _stable(ordered, position)


def _stable(ordered: list[Param], position: dict[int, int]) -> tuple[Param, ...]:
    """Keeps the declared order wherever parents come first already."""
    declared = sorted(ordered, key=lambda param: position[id(param)])
    met: set[str] = set()
    for param in declared:
        if any(condition.parent not in met for condition in param.conditions):
            return tuple(ordered)
        met.add(param.name)
    return tuple(declared)


def _check_names(params: tuple[Param, ...]) -> None:
    """Refuses two definitions of a name that can be active together."""
    for index, param in enumerate(params):
        for other in params[:index]:
            if other.name == param.name and not _exclusive(
                _allowed(param, params), _allowed(other, params)
            ):
                raise InvalidSpace(
                    f"Parameter {param.name!r} is declared twice, under conditions that can hold "
                    "together. Give one of them another name, or other values of the parent."
                )


def exclusive(one: Param, other: Param, params: Sequence[Param]) -> bool:
    """Whether the conditions of two parameters exclude each other."""
    return _exclusive(_allowed(one, tuple(params)), _allowed(other, tuple(params)))


def _allowed(param: Param, params: tuple[Param, ...]) -> dict[str, set[Scalar]]:
    """Returns for each ancestor its values under which a parameter may exist."""
    allowed: dict[str, set[Scalar]] = {}
    for condition in param.conditions:
        parents = [p for p in params if p.name == condition.parent]
        # If a parent is declared several times, it is unknown which one is meant.
        above = _allowed(parents[0], params) if len(parents) == 1 else {}
        for name, values in [*above.items(), (condition.parent, set(condition.values))]:
            allowed[name] = allowed.get(name, values) & values
    return allowed


def _exclusive(one: Mapping[str, set[Scalar]], other: Mapping[str, set[Scalar]]) -> bool:
    return any(one[parent].isdisjoint(other[parent]) for parent in one.keys() & other.keys())


def _check_conditions(param: Param, params: tuple[Param, ...]) -> None:
    for condition in param.conditions:
        parents = [p for p in params if p.name == condition.parent]
        if not parents:
            raise InvalidSpace(
                f"Parameter {param.name!r} depends on {condition.parent!r}, which is not "
                f"defined.{nearest(condition.parent, [p.name for p in params])}"
            )
        if any(isinstance(parent.domain, Lazy) for parent in parents):
            raise InvalidSpace(
                f"Parameter {param.name!r} depends on {condition.parent!r}, which is lazy: its "
                "value is not known when a configuration is proposed. Depend on a tuned parameter."
            )
        for value in condition.values:
            if not any(value in parent.domain for parent in parents):
                raise InvalidSpace(
                    f"Parameter {param.name!r} exists where {condition.parent!r} is {value!r}, "
                    f"but that is not one of its values."
                )


def _product(params: tuple[Param, ...], config: dict[str, Scalar]) -> Iterator[Config]:
    if not params:
        yield dict(config)
        return
    head, *tail = params
    if not head.active(config):
        yield from _product(tuple(tail), config)
        return
    for value in head.domain.listed():
        yield from _product(tuple(tail), {**config, head.name: value})


def _count(params: tuple[Param, ...], config: dict[str, Scalar]) -> float:
    """Counts configurations, enumerating only the parameters that others depend on."""
    parents = {c.parent for param in params for c in param.conditions}
    total = 1.0
    for index, param in enumerate(params):
        if not param.active(config):
            continue
        n = param.domain.levels
        if param.name not in parents:
            total *= n or math.inf
            continue
        if n == 0:
            return math.inf
        rest = params[index + 1 :]
        return total * sum(
            _count(rest, {**config, param.name: value}) for value in param.domain.listed()
        )
    return total
