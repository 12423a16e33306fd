"""Domains from their JSON, which the log and spaces' fingerprints contain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kerashpo.core.errors import InvalidSpace
from kerashpo.space.choice_labels import Label
from kerashpo.space.domains import Boolean, Choice, Domain, Fixed, Float, Integer
from kerashpo.space.lazy import Lazy

KINDS: Final[dict[str, type[Domain]]] = {
    c.kind: c for c in (Float, Integer, Choice, Boolean, Fixed, Lazy)
}


def from_json(body: Mapping[str, Any]) -> Domain:
    """Returns the domain serialised by `Domain.to_json`.

    Raises:
        InvalidSpace: if the kind is unknown.
    """
    fields = dict(body)
    kind = fields.pop("kind", None)
    match kind:
        case "float" | "int":
            fields["preset"] = fields.pop("default", None)
        case "choice":
            label = Label if fields.pop("by_index", False) else (lambda value: value)
            preset = fields.pop("default", None)
            fields["preset"] = None if preset is None else label(preset)
            fields["values"] = tuple(label(value) for value in fields["values"])
        case "bool":
            fields["preset"] = fields.pop("default", False)
    if kind not in KINDS:
        raise InvalidSpace(f"unknown kind of parameter {kind!r}")
    return KINDS[kind](**fields)
