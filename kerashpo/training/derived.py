"""Metrics that no model logs: functions of the model, and a weighted sum of objectives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import Objective
from kerashpo.core.weighing import WEIGHTED, Weighing


@final
@dataclass(frozen=True, slots=True)
class Derived:
    """What is added to the metrics of every epoch, so that the log holds it.

    Attributes:
        measured: objectives that are functions of the model.
        weighing: the weighted sum of the objectives, None where the first one ranks.
    """

    measured: tuple[Objective, ...] = ()
    weighing: Weighing | None = None

    @property
    def names(self) -> frozenset[str]:
        """The metrics that are added."""
        names = {one.name for one in self.measured}
        return frozenset(names | {WEIGHTED}) if self.weighing else frozenset(names)

    def add(self, metrics: Mapping[str, float], model: Any) -> dict[str, float]:
        """Returns an epoch's metrics with what is derived.

        Raises:
            InvalidInput: if a function of the model returns no number.
        """
        whole = dict(metrics)
        for one in self.measured:
            assert one.of is not None
            whole[one.name] = _number(one.of(model), one.name)
        if self.weighing is not None:
            whole[WEIGHTED] = self.weighing.value(whole)
        return whole


def _number(value: Any, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InvalidInput(
            f"The function of the objective {name!r} must return a number. Received: {value!r}."
        ) from None
