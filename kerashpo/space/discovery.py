"""Finds the space of a function that declares its parameters while it runs.

Without explicit conditions, a loop over ``hp.Int("layers", 1, 3)`` hides parameters
from one call. Discovery flips small choices, in groups first, so that a space without
hidden parameters costs few calls; it then infers under which values of which parent
each parameter exists.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, final

from kerashpo.core.errors import InvalidSpace
from kerashpo.core.records import Scalar
from kerashpo.space.domains import Choice, Domain, Float, Integer
from kerashpo.space.params import Condition, Param
from kerashpo.space.space import Space

Values: TypeAlias = Mapping[str, Scalar]
Probe: TypeAlias = Callable[[Values], "Sequence[Param]"]
Key: TypeAlias = "tuple[str, tuple[Condition, ...]]"

SMALL = 10
"""Choices of at most so many values are flipped through all of them."""
_LISTED = 32
_MAX_CALLS = 96


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the function: the values that its parameters had, and what it declared."""

    values: dict[str, Scalar]
    keys: frozenset[Key]


@final
@dataclass(slots=True)
class Discovery:
    """Calls a function with chosen values and learns its space.

    Args:
        probe: calls the function with some values (defaults for the others) and returns
            what it declared, parents first. Whatever it raises away from the default is
            borne, but for contradictions.
    """

    probe: Probe
    calls: list[Call] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    _params: dict[Key, Param] = field(default_factory=dict)
    _explored: set[Key] = field(default_factory=set)
    _parents: list[str] = field(default_factory=list)
    _known: dict[tuple[tuple[str, Scalar], ...], Call | None] = field(default_factory=dict)

    def run(self) -> Space:
        """Returns the space.

        Raises:
            InvalidSpace: where definitions contradict each other.
            Exception: whatever the function raises with its default values.
        """
        base = self._call({}, borne=False)
        assert base is not None
        self._explore({}, base, base.keys)
        return Space.of(self._conditioned(key, param) for key, param in self._params.items())

    def _call(self, values: Values, borne: bool = True) -> Call | None:
        at = tuple(sorted(values.items(), key=lambda item: item[0]))
        if at in self._known or len(self.calls) >= _MAX_CALLS:
            return self._known.get(at)
        try:
            declared = self.probe(values)
        except InvalidSpace:
            raise
        except Exception as error:
            if not borne:
                raise
            self.errors.append(error)
            self._known[at] = None
            return None
        call = self._note(declared, values)
        self._known[at] = call
        self.calls.append(call)
        return call

    def _note(self, declared: Sequence[Param], values: Values) -> Call:
        used: dict[str, Scalar] = {}
        for param in declared:
            key = (param.name, param.conditions)
            before = self._params.get(key)
            self._params[key] = param if before is None else _widen(before, param)
            if param.active(used):
                used[param.name] = values.get(param.name, param.domain.default)
        return Call(used, frozenset((p.name, p.conditions) for p in declared))

    def _explore(self, context: Values, baseline: Call, keys: frozenset[Key]) -> None:
        """Flips the parameters of `keys`, which appeared in a context, all at once first."""
        self._explored |= keys
        fresh = [self._params[key] for key in self._params if key in keys]
        self._group(context, baseline, [param for param in fresh if _others(param.domain)])

    def _group(self, context: Values, baseline: Call, params: list[Param]) -> None:
        if not params or not self._differs(context, baseline, params):
            return
        if len(params) == 1:
            self._flip(context, baseline, params[0])
            return
        middle = len(params) // 2
        self._group(context, baseline, params[:middle])
        self._group(context, baseline, params[middle:])

    def _differs(self, context: Values, baseline: Call, params: list[Param]) -> bool:
        columns = [[(p.name, value) for value in _others(p.domain)] for p in params]
        for row in itertools.zip_longest(*columns):
            flipped = dict(filter(None, row))
            call = self._call({**context, **flipped})
            if call is None or call.keys != baseline.keys:
                return True
        return False

    def _flip(self, context: Values, baseline: Call, param: Param) -> None:
        """Calls with every value of a parameter that matters, and explores what appears."""
        listed = 0 < param.domain.levels <= _LISTED
        if listed and param.name not in self._parents:
            self._parents.append(param.name)
        for value in _all_others(param.domain):
            flipped = {**context, param.name: value}
            call = self._call(flipped)
            if call is not None and (new := call.keys - self._explored):
                self._explore(flipped, call, new)

    def _conditioned(self, key: Key, param: Param) -> Param:
        """Adds the conditions that the calls imply."""
        present = [call.values for call in self.calls if key in call.keys]
        absent = [call.values for call in self.calls if key not in call.keys]
        if not absent:
            return param
        for parents in (*((p,) for p in self._parents), *itertools.combinations(self._parents, 2)):
            inferred = tuple(_condition(name, present) for name in parents)
            if param.name in parents or None in inferred:
                continue
            conditions = tuple(c for c in inferred if c is not None)
            if not any(all(c.holds(values) for c in conditions) for values in absent):
                new = tuple(c for c in conditions if c not in param.conditions)
                return Param(param.name, param.domain, (*param.conditions, *new))
        return param


def _condition(parent: str, present: list[dict[str, Scalar]]) -> Condition | None:
    if not all(parent in values for values in present):
        return None
    found = list(dict.fromkeys(values[parent] for values in present))
    if all(isinstance(value, (int, float)) for value in found):
        found.sort(key=float)  # type: ignore[arg-type]
    return Condition(parent, tuple(found))


def _others(domain: Domain) -> list[Scalar]:
    """Returns the values to flip to: all of a small choice, the far end of a long range."""
    if domain.levels == 1:
        return []
    if 0 < domain.levels <= SMALL and not isinstance(domain, Float):
        return _all_others(domain)
    ends = [domain.at(1.0), domain.at(0.0)]
    return [next(end for end in ends if end != domain.default)]


def _all_others(domain: Domain) -> list[Scalar]:
    if not 0 < domain.levels <= _LISTED:
        return _others(domain)
    return [value for value in domain.listed() if value != domain.default]


def _grain(domain: Integer | Float) -> tuple[float | None, str]:
    return domain.step, domain.scale


def _moved(wide: Integer | Float, preset: float | None) -> Any:
    """Returns a default on the steps of a wider range, which may lie between the old ones."""
    return preset if preset is None or wide.step is None else wide.at(wide.unit(preset))


def _widen(a: Param, b: Param) -> Param:
    """Returns the parameter that holds both definitions (a bound that depends on a value)."""
    first, second = a.domain, b.domain
    if first == second:
        return a
    match first, second:
        case Integer(step=step, scale=scale), Integer() if (step, scale) == _grain(second):
            low, high = min(first.low, second.low), max(first.high, second.high)
            whole = Integer(low, high, step, scale)
            wide: Domain = replace(whole, preset=_moved(whole, first.preset))
            return Param(a.name, wide, a.conditions)
        case Float(step=step, scale=scale), Float() if (step, scale) == _grain(second):
            bottom, top = min(first.low, second.low), max(first.high, second.high)
            real = Float(bottom, top, step, scale)
            wide = replace(real, preset=_moved(real, first.preset))
            return Param(a.name, wide, a.conditions)
        case Choice(), Choice():
            values = (*first.values, *(v for v in second.values if v not in first.values))
            ordered = first.ordered and second.ordered
            return Param(a.name, Choice(values, ordered, first.preset), a.conditions)
    raise InvalidSpace(
        f"Parameter {a.name!r} is declared in two ways that cannot be joined: "
        f"{first.to_json()} and {second.to_json()}. Give one of them another name."
    )
