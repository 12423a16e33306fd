"""One parameter of a space: a name, a domain, and its conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from kerashpo.core.records import Config, Scalar
from kerashpo.space import domain_json, domains


@final
@dataclass(frozen=True, slots=True)
class Condition:
    """A condition: met if the parent is active and has one of the values."""

    parent: str
    values: tuple[Scalar, ...]

    def holds(self, config: Config) -> bool:
        """Whether a configuration, complete up to the parent, meets the condition."""
        return self.parent in config and config[self.parent] in self.values


@final
@dataclass(frozen=True, slots=True)
class Param:
    """A parameter; it exists if all its conditions are met."""

    name: str
    domain: domains.Domain
    conditions: tuple[Condition, ...] = ()

    def active(self, config: Config) -> bool:
        """Whether the parameter exists under the parents' values in `config`."""
        return all(condition.holds(config) for condition in self.conditions)

    def to_json(self) -> dict[str, Any]:
        """Returns name, definition and conditions as JSON."""
        body = {"name": self.name, **self.domain.to_json()}
        if self.conditions:
            body["when"] = [[c.parent, list(c.values)] for c in self.conditions]
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Param:
        """Returns the parameter serialised by `to_json`."""
        fields = dict(body)
        name, when = fields.pop("name"), fields.pop("when", ())
        conditions = tuple(Condition(parent, tuple(values)) for parent, values in when)
        return cls(name, domain_json.from_json(fields), conditions)
