"""Reads what a person wrote (nested mappings, `when` blocks) into flat parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kerashpo.core.errors import InvalidSpace
from kerashpo.space.constructors import Under
from kerashpo.space.domains import Choice, Domain, Fixed
from kerashpo.space.params import Condition, Param


def read(parts: Iterable[Mapping[str, Any]]) -> tuple[Param, ...]:
    """Returns the parameters of one or several mappings.

    Raises:
        InvalidSpace: naming the entry that is no definition.
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
            # The prefix stays with the parent's name until all names are known.
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
    """Turns parents' names that are relative to their block into flat names."""
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
