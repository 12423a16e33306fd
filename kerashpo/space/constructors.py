"""The functions that define a space: domains, conditions, nested mappings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

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


def choice(values: Iterable[Any], ordered: bool = False, *, default: Any = None) -> Choice:
    """One of `values`; `ordered` if neighbours are similar (batch sizes, for example)."""
    with _naming(f"choice({values!r})"):
        items = tuple(v.item() if isinstance(v, np.generic) else v for v in values)
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
