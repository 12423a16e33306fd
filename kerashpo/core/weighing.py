"""Several objectives as one number to minimise: their weighted sum."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import Objective

WEIGHTED = "multi_objective"
"""The name under which the sum is logged; KerasTuner's."""


@final
@dataclass(frozen=True, slots=True)
class Weighing:
    """A weighted sum of costs, less is better.

    Attributes:
        parts: objectives with their weights.
    """

    parts: tuple[tuple[Objective, float], ...]

    @property
    def objective(self) -> Objective:
        """The sum as an objective."""
        return Objective(WEIGHTED, "min")

    def value(self, metrics: Mapping[str, float]) -> float:
        """Returns the sum over an epoch's metrics, NaN where one of them is missing."""
        costs = [one.cost(metrics.get(one.name, math.nan)) * weight for one, weight in self.parts]
        total = sum(costs)
        return total if math.isfinite(total) else math.nan


def read_weights(objectives: Sequence[Objective], weights: Any) -> Weighing | None:
    """Returns how objectives are weighed; None where no weights are given.

    Args:
        objectives: what is weighed.
        weights: a positive number for each, in their order or by their names.

    Raises:
        InvalidInput: if they do not fit the objectives.
    """
    if weights is None:
        return None
    names = [one.name for one in objectives]
    if isinstance(weights, Mapping):
        fits = set(weights) == set(names)
        weights = [weights.get(name) for name in names]
    else:
        weights = list(weights) if isinstance(weights, Sequence) else [weights]
        fits = len(weights) == len(names)
    numbers = [w for w in weights if isinstance(w, (int, float)) and not isinstance(w, bool)]
    if not fits or len(numbers) != len(names) or not all(0 < w < math.inf for w in numbers):
        raise InvalidInput(
            "weights must hold a positive number for each objective "
            f"({', '.join(names)}), in their order or by their names. Received: {weights!r}."
        )
    return Weighing(tuple(zip(objectives, (float(w) for w in numbers))))
