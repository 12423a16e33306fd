"""Objectives and limits of searches without a Keras model: `optimize` and `simulate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kerashpo.core.errors import InvalidInput
from kerashpo.core.limits import Limit, read_limits
from kerashpo.core.objective import to_objectives
from kerashpo.core.records import Objective


def plain_objectives(given: Any, returned: str) -> tuple[Objective, ...]:
    """Returns the objectives that an argument names.

    Args:
        given: an `Objective`, a metric's name, or a list of them.
        returned: what returns their values, for the error's text.

    Raises:
        InvalidInput: for a name twice, or an objective that is a function of a model.
    """
    objectives = to_objectives(given)
    if any(one.of is not None for one in objectives):
        raise InvalidInput(
            "An objective's of= is a function of a Keras model, and none is trained here: return "
            f"its value from {returned}."
        )
    return objectives


def plain_limits(given: Any, objectives: Sequence[Objective], returned: str) -> tuple[Limit, ...]:
    """Returns the limits that an argument names, see `plain_objectives`.

    Raises:
        InvalidInput: for anything that is no limit, or one on a function of a model.
    """
    limits = read_limits(given, objectives)
    if any(one.objective.of is not None or one.before_training for one in limits):
        raise InvalidInput(
            "limits: an Objective's of= or before_training= is about a Keras model, and none is "
            f"trained here: return its value from {returned}."
        )
    return limits


def from_table(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a file's arguments with ``objective`` and ``limits`` as Python states them.

    An objective whose direction cannot be inferred from its name is a table with ``name`` and
    ``direction``; such a limit a table with ``at_most`` or ``at_least``.

    Args:
        arguments: as a TOML or JSON file holds them.

    Raises:
        InvalidInput: for another table.
    """
    found = dict(arguments)
    if "objective" in found:
        given = found["objective"]
        several = isinstance(given, list)
        read = [_objective(one) for one in (given if several else [given])]
        found["objective"] = read if several else read[0]
    if isinstance(found.get("limits"), Mapping):
        found["limits"] = dict(_limit(name, bound) for name, bound in found["limits"].items())
    return found


def _objective(given: Any) -> Any:
    if not isinstance(given, Mapping):
        return given
    if set(given) != {"name", "direction"}:
        raise InvalidInput(
            'An objective is a metric\'s name, or {name = "f1", direction = "min"}. Received: '
            f"{dict(given)!r}."
        )
    return Objective(given["name"], given["direction"])


def _limit(name: str, bound: Any) -> tuple[Any, Any]:
    if not isinstance(bound, Mapping):
        return name, bound
    words = {"at_most": "min", "at_least": "max"}
    if len(bound) != 1 or not set(bound) <= set(words):
        raise InvalidInput(
            f"limits: {name} is a number, {{at_most = 1000}} or {{at_least = 0.9}}. Received: "
            f"{dict(bound)!r}."
        )
    ((word, number),) = bound.items()
    return Objective(name, words[word]), number  # type: ignore[arg-type]
