"""The objectives of a tuner, and their weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from kerashpo.core.errors import InvalidInput
from kerashpo.core.objective import Weighing, read_weights, to_objectives
from kerashpo.core.records import Objective
from kerashpo.training.settings import Derived

DEFAULT_OBJECTIVE = "default_objective"
"""The metric's name if the user's own code returns one number; KerasTuner's name."""


@final
@dataclass(frozen=True, slots=True)
class Goal:
    """The objectives of a search.

    Attributes:
        objectives: the first one ranks trials: the weighted sum if there is one.
        weighing: the weighted sum, None if the first objective ranks.
    """

    objectives: tuple[Objective, ...]
    weighing: Weighing | None = None

    @classmethod
    def read(cls, objective: Any, weights: Any, own: bool) -> Goal:
        """Returns the objectives that a tuner's arguments name.

        Args:
            objective: a name, an `Objective`, or several.
            weights: a number for each, or None.
            own: whether the user's own code trains, which may return one number.

        Raises:
            InvalidInput: for an invalid objective or weights.
        """
        if objective is None and own:
            objective = Objective(DEFAULT_OBJECTIVE, "min")
        if objective is None:
            raise InvalidInput(
                "objective is missing: name the metric to optimise, e.g. objective='val_accuracy'."
            )
        given = to_objectives(objective)
        weighing = read_weights(given, weights)
        return cls(given if weighing is None else (weighing.objective, *given), weighing)

    @property
    def derived(self) -> Derived:
        """The metrics that are computed from a model and its metrics after each epoch."""
        return Derived(tuple(one for one in self.objectives if one.of is not None), self.weighing)

    @property
    def logged(self) -> list[Objective]:
        """The objectives that the model itself logs."""
        names = self.derived.names
        return [one for one in self.objectives if one.name not in names]

    def compared(self) -> dict[str, Any]:
        """Returns the settings that a resume compares besides names and directions."""
        if self.weighing is None:
            return {}
        return {"weights": [weight for _, weight in self.weighing.parts]}
