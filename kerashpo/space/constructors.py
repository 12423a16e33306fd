"""The functions that define a space: domains, conditions, nested mappings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, overload

import numpy as np

from kerashpo.core.errors import InvalidSpace
from kerashpo.core.records import Scalar
from kerashpo.space.definition_checks import between_steps
from kerashpo.space.domains import Boolean, Choice, Domain, Fixed, Float, Integer
from kerashpo.space.params import Condition, Param
from kerashpo.space.scales import Scale

Numeric = TypeVar("Numeric", Float, Integer)


def uniform(
    low: float, high: float, step: float | None = None, *, default: float | None = None
) -> Float:
    """A float in [low, high]; with `step`, low, low + step, ... up to high."""
    with _naming(f"uniform({low!r}, {high!r})"):
        return _on_steps(Float(float(low), float(high), _float(step), "linear", _float(default)))


def loguniform(low: float, high: float, *, default: float | None = None) -> Float:
    """A float in [low, high], low above 0, whose logarithm is uniform."""
    with _naming(f"loguniform({low!r}, {high!r})"):
        return Float(float(low), float(high), None, "log", _float(default))


def reverse_log(low: float, high: float, *, default: float | None = None) -> Float:
    """A float in [low, high], low above 0, dense near `high` as `loguniform` is near `low`."""
    with _naming(f"reverse_log({low!r}, {high!r})"):
        return Float(float(low), float(high), None, "reverse_log", _float(default))


def integer(
    low: int,
    high: int,
    step: int | None = None,
    log: bool = False,
    *,
    default: int | None = None,
) -> Integer:
    """A whole number in [low, high], both included; with `log` a step is a factor."""
    with _naming(f"integer({low!r}, {high!r})"):
        numbers = [_whole(value) for value in (low, high, step, default)]
        scale: Scale = "log" if log else "linear"
        return _on_steps(Integer(numbers[0], numbers[1], numbers[2], scale, numbers[3]))


@overload
def choice(
    values: Mapping[str, Any], ordered: bool = False, *, default: Any = None
) -> NestedChoice: ...
@overload
def choice(values: Iterable[Any], ordered: bool = False, *, default: Any = None) -> Any: ...
def choice(values: Iterable[Any], ordered: bool = False, *, default: Any = None) -> Any:
    """One of `values`; `ordered` where neighbours are alike (batch sizes, say).

    The values may be spaces of their own: ``choice({"svm": {"C": loguniform(1e-3, 1e3)},
    "forest": {"trees": integer(10, 500)}})`` under the name ``model`` is a choice among
    ``"svm"`` and ``"forest"``, and the parameters ``model/C`` and ``model/trees`` that exist
    under theirs. In a list, spaces are chosen by their position, other values as they are.
    """
    if isinstance(values, Mapping):
        return NestedChoice(tuple(values.items()), default)
    with _naming(f"choice({values!r})"):
        listed = tuple(values)
        if any(_is_space(value) for value in listed):
            spaces = ((i, v) if _is_space(v) else (v, {}) for i, v in enumerate(listed))
            return NestedChoice(tuple(spaces), default)
        items = tuple(v.item() if isinstance(v, np.generic) else v for v in listed)
        return Choice(items, ordered, default)


def boolean(*, default: bool = False) -> Boolean:
    """False or True."""
    return Boolean(default)


def fixed(value: Scalar) -> Fixed:
    """A value that is recorded with every configuration but not tuned."""
    return Fixed(value)


@contextmanager
def _naming(call: str) -> Iterator[None]:
    """Adds the call to messages of errors, since the parameter's name is not known yet."""
    try:
        yield
    except InvalidSpace as error:
        raise InvalidSpace(f"{call}: {error}.") from None
    except (TypeError, ValueError) as error:
        raise InvalidSpace(f"{call}: expected numbers (a choice: a list), {error}.") from None


def _on_steps(domain: Numeric) -> Numeric:
    """Returns the domain; its default must be one of its values."""
    if reason := between_steps(domain):
        raise InvalidSpace(reason)
    return domain


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)


def _whole(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


class Conditional(dict[str, Any]):
    """Parameters under a condition: a mapping that also holds the parent and its values."""

    def __init__(self, parent: str, values: tuple[Any, ...], body: Mapping[str, Any]) -> None:
        super().__init__(
            {name: Under(parent, values, definition) for name, definition in body.items()}
        )


class Under:
    """A definition (a domain, or a mapping of some) that holds only under its parent."""

    __slots__ = ("definition", "parent", "values")

    def __init__(self, parent: str, values: tuple[Any, ...], definition: Any) -> None:
        self.parent, self.values, self.definition = parent, values, definition


class NestedChoice:
    """A choice among spaces: by label, the space that holds under it."""

    __slots__ = ("domain", "options")

    def __init__(self, options: tuple[tuple[Any, Any], ...], default: Any) -> None:
        labels = tuple(label for label, _ in options)
        self.options, self.domain = options, Choice(labels, False, default)
        for label, body in options:
            if not (body is None or isinstance(body, (Mapping, tuple)) or _is_space(body)):
                raise InvalidSpace(
                    f"choice({list(labels)!r}): under {label!r} a space was expected, a mapping of "
                    f"definitions. Received: {body!r}."
                )

    def parts(self) -> Iterator[tuple[Any, Any]]:
        """Yields each label with its definitions, one mapping after another."""
        for label, body in self.options:
            for part in body if isinstance(body, tuple) else (body or {},):
                yield label, part


def _is_space(value: Any) -> bool:
    """Whether a value is a space, or a mapping with definitions."""
    if isinstance(value, (Domain, Under, NestedChoice)) or hasattr(value, "fingerprint"):
        return True
    return isinstance(value, Mapping) and any(_is_space(one) for one in value.values())


def when(parent: str, values: Any, params: Mapping[str, Any]) -> Conditional:
    """Parameters that exist only where `parent` has one of `values`.

    The result is a mapping: put it into a space with ``**when(...)``, as a further
    argument of `Space`, or under a key, which then prefixes its names.

    Args:
        parent: the parent's name, absolute or relative to where this stands.
        values: one value or several.
        params: names and definitions, again with conditions or nested mappings.
    """
    several = isinstance(values, Iterable) and not isinstance(values, (str, bytes, Mapping))
    return Conditional(parent, tuple(values) if several else (values,), params)


__all__ = [
    "Conditional",
    "Domain",
    "NestedChoice",
    "Under",
    "boolean",
    "choice",
    "fixed",
    "integer",
    "loguniform",
    "reverse_log",
    "uniform",
    "when",
]


def read(parts: Iterable[Mapping[str, Any]]) -> tuple[Param, ...]:
    """Returns the parameters of one or several mappings.

    Raises:
        InvalidSpace: for an entry that is not a definition, with its name.
    """
    found: list[Param] = []
    for part in parts:
        if not isinstance(part, Mapping):
            raise InvalidSpace(
                "A space is written as a mapping of names to definitions, e.g. "
                f"Space({{'lr': loguniform(1e-4, 1e-1)}}). Received: {part!r}."
            )
        found.extend(_walk(part, "", ()))
    return tuple(_resolve(param, found) for param in found)


def _walk(
    body: Mapping[str, Any], prefix: str, conditions: tuple[Condition, ...]
) -> Iterable[Param]:
    for name, definition in body.items():
        yield from _entry(f"{prefix}{name}", prefix, definition, conditions)


def _entry(
    name: str, prefix: str, definition: Any, conditions: tuple[Condition, ...]
) -> Iterable[Param]:
    match definition:
        case Domain():
            yield Param(name, definition, conditions)
        case NestedChoice():
            yield Param(name, definition.domain, conditions)
            for label, part in definition.parts():
                yield from _under_label(name, label, part, conditions)
        case Under():
            # The prefix is kept beside the parent's name until all names are known.
            parent = Condition(f"{prefix}\0{definition.parent}", definition.values)
            yield from _entry(name, prefix, definition.definition, (*conditions, parent))
        case Mapping():
            yield from _walk(definition, f"{name}/", conditions)
        case None | str() | int() | float() | bool():
            yield Param(name, Fixed(definition), conditions)
        case _:
            raise InvalidSpace(
                f"Parameter {name!r}: expected a definition such as uniform(0, 1) or "
                f"choice([...]), received {definition!r}."
            )


def _under_label(
    name: str, label: Any, part: Any, conditions: tuple[Condition, ...]
) -> Iterable[Param]:
    """Yields the parameters of one of a choice's spaces, prefixed with the choice's name."""
    chosen = (*conditions, Condition(f"\0{name}", (label,)))
    if isinstance(part, Mapping):
        yield from _walk(part, f"{name}/", chosen)
        return
    for param in part.params:
        moved = (_moved(c, part.params, name) for c in param.conditions)
        yield Param(f"{name}/{param.name}", param.domain, (*chosen, *moved))


def _moved(condition: Condition, params: Sequence[Param], name: str) -> Condition:
    """Returns a condition of a nested space with its parent's full name, in the user's values."""
    parent = next(param.domain for param in params if param.name == condition.parent)
    values = tuple(parent.realise(value) for value in condition.values)
    return Condition(f"\0{name}/{condition.parent}", values)


def _resolve(param: Param, params: list[Param]) -> Param:
    """Resolves parents' names that are relative to their block to flat names."""
    if not param.conditions:
        return param
    domains = {other.name: other.domain for other in params}
    try:
        resolved = tuple(_resolve_one(condition, domains) for condition in param.conditions)
    except InvalidSpace as error:
        raise InvalidSpace(f"Parameter {param.name!r}, its condition: {error}.") from None
    return Param(param.name, param.domain, resolved)


def _resolve_one(condition: Condition, domains: Mapping[str, Domain]) -> Condition:
    prefix, _, name = condition.parent.partition("\0")
    parts = prefix.split("/")[:-1]
    candidates = ["/".join([*parts[:depth], name]) for depth in range(len(parts), -1, -1)]
    parent = next((candidate for candidate in candidates if candidate in domains), name)
    domain = domains.get(parent)
    values = condition.values
    if isinstance(domain, Choice) and not domain.scalar:
        values = tuple(domain.store(value) for value in values)
    return Condition(parent, values)
