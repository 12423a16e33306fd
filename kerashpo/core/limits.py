"""Limits: bounds that a trial must keep to count as feasible, and how far it exceeds them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from kerashpo.core.errors import InvalidInput
from kerashpo.core.objective import to_objectives
from kerashpo.core.records import Objective


class LimitExceeded(InvalidInput):
    """An untrained model that exceeds a limit."""


_WORDS = {"min": "at most", "max": "at least"}
_BEFORE = "before training"
SIZE_ARGUMENT = "max_model_size"
"""The argument of KerasTuner's that limits the parameters, with a setting of its own."""


@final
@dataclass(frozen=True, slots=True)
class Limit:
    """A limit: the worst value of a quantity that a feasible trial may have.

    Attributes:
        objective: the quantity, and the direction in which it improves: one that is minimised is
            limited from above, one that is maximised from below.
        bound: the worst value allowed.
        argument: the argument that set it: ``"limits"`` or ``"max_model_size"``.
    """

    objective: Objective
    bound: float
    argument: str = "limits"

    @property
    def name(self) -> str:
        """The name of the quantity."""
        return self.objective.name

    @property
    def before_training(self) -> bool:
        """Whether it is checked on the untrained model, so that breaking it costs no epoch."""
        return self.objective.before_training

    def excess(self, value: float) -> float:
        """Returns by which share of the bound a value exceeds the limit; 0 or less keeps it.

        The difference itself where the bound is 0; NaN for a value that is not finite.
        """
        if not math.isfinite(value):
            return math.nan
        sign = 1.0 if self.objective.direction == "min" else -1.0
        return sign * (value - self.bound) / (abs(self.bound) or 1.0)

    @property
    def allowed(self) -> str:
        """What is allowed, e.g. ``"at most 1,000,000"``."""
        return f"{_WORDS[self.objective.direction]} {self.bound:,.7g}"

    def __str__(self) -> str:
        return f"{self.name} {self.allowed}"


def violation(limits: Iterable[Limit], metrics: Mapping[str, float]) -> float:
    """Returns the sum of the excesses of the limits that metrics break, 0 if they keep all.

    inf if a limited metric is missing or not finite.
    """
    total = 0.0
    for limit in limits:
        excess = limit.excess(metrics.get(limit.name, math.nan))
        total += math.inf if math.isnan(excess) else max(0.0, excess)
    return total


def read_limits(
    given: Any,
    objectives: Sequence[Objective] = (),
    known: Mapping[str, Callable[[], Objective]] | None = None,
) -> tuple[Limit, ...]:
    """Returns the limits that a tuner's argument ``limits=`` names.

    Args:
        given: by name, or by `Objective`, the worst value allowed; None for no limit.
        objectives: the search's own: a name among them is that objective.
        known: functions that return an objective by its name, e.g. ``"size"``.

    Raises:
        InvalidInput: for anything else, or a name whose direction is unknown.
    """
    if given is None:
        return ()
    if not isinstance(given, Mapping):
        raise InvalidInput(
            "limits must map the names of metrics (or Objectives) to numbers, e.g. "
            f"{{'size': 1e6, 'val_recall': 0.9}}. Received: {given!r}."
        )
    own, found = {one.name: one for one in objectives}, []
    for key, bound in given.items():
        if isinstance(key, str) and (key in own or key in (known or {})):
            objective = own[key] if key in own else (known or {})[key]()
        elif isinstance(key, (str, Objective)):
            objective = to_objectives(key)[0]
        else:
            raise InvalidInput(
                f"limits: {key!r} is neither the name of a metric nor an Objective. Received: "
                f"{given!r}."
            )
        number = isinstance(bound, (int, float)) and not isinstance(bound, bool)
        if not number or not math.isfinite(bound):
            raise InvalidInput(
                f"limits: the limit of {objective.name!r} must be a finite number. Received: "
                f"{bound!r}."
            )
        found.append(Limit(objective, float(bound)))
    names = [one.name for one in found]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise InvalidInput(f"limits names {', '.join(map(repr, twice))} more than once.")
    return tuple(found)


def to_settings(limits: Iterable[Limit]) -> dict[str, Any]:
    """Returns limits as JSON values, for the settings of a study; see `from_settings`."""
    found: dict[str, Any] = {}
    for one in limits:
        if one.argument == SIZE_ARGUMENT:
            found[SIZE_ARGUMENT] = int(one.bound)
            continue
        body: dict[str, Any] = {_WORDS[one.objective.direction]: one.bound}
        found.setdefault("limits", {})[one.name] = body
        if one.before_training:
            body[_BEFORE] = True
    return found


def from_settings(settings: Mapping[str, Any]) -> tuple[Limit, ...]:
    """Returns the limits of a study from its settings; `max_model_size` is one of them."""
    directions = {word: direction for direction, word in _WORDS.items()}
    found = []
    for name, body in settings.get("limits", {}).items():
        word = next(word for word in body if word in directions)
        objective = Objective(name, directions[word], None, bool(body.get(_BEFORE)))  # type: ignore[arg-type]
        found.append(Limit(objective, body[word]))
    if (most := settings.get(SIZE_ARGUMENT)) is not None:
        found.append(Limit(Objective("size", "min", None, True), float(most), SIZE_ARGUMENT))
    return tuple(found)
