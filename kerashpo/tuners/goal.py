"""The objectives of a tuner, and their weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from kerashpo.core.errors import InvalidInput
from kerashpo.core.limits import SIZE_ARGUMENT, Limit, read_limits, to_settings
from kerashpo.core.objective import Weighing, read_weights, to_objectives
from kerashpo.core.records import Objective
from kerashpo.objectives import MEASURED, count_flops, count_parameters, named
from kerashpo.training.settings import Derived
from kerashpo.tuners.describe import describe

_BY_NAME = (count_parameters, count_flops)
DEFAULT_OBJECTIVE = "default_objective"
"""The metric's name if the user's own code returns one number; KerasTuner's name."""


@final
@dataclass(frozen=True, slots=True)
class Goal:
    """The objectives of a search.

    Attributes:
        objectives: the first one ranks trials: the weighted sum if there is one.
        weighing: the weighted sum, None if the first objective ranks.
        limits: the limits that a feasible trial satisfies.
        counted: what is measured besides, because a bound of the study counts it.
    """

    objectives: tuple[Objective, ...]
    weighing: Weighing | None = None
    limits: tuple[Limit, ...] = ()
    counted: tuple[Objective, ...] = ()

    @classmethod
    def read(
        cls,
        objective: Any,
        weights: Any,
        own: bool,
        limits: Any = None,
        max_model_size: int | None = None,
    ) -> Goal:
        """Returns the objectives that a tuner's arguments name.

        Args:
            objective: a name, an `Objective`, or several.
            weights: a number for each, or None.
            own: whether the user's own code trains, which may return one number.
            limits: see `core.limits.read_limits`.
            max_model_size: the most parameters of a model.

        Raises:
            InvalidInput: for an invalid objective, weights or limits.
        """
        if objective is None and own:
            objective = Objective(DEFAULT_OBJECTIVE, "min")
        if objective is None:
            raise InvalidInput(
                "objective is missing: name the metric to optimise, e.g. objective='val_accuracy'."
            )
        given = to_objectives(named(objective))
        weighing = read_weights(given, weights)
        bounds = read_limits(limits, given, MEASURED)
        if max_model_size is not None:
            if any(one.name == "size" for one in bounds):
                raise InvalidInput(
                    "max_model_size is limits={'size': ...}: pass one of them. Received: "
                    f"{max_model_size!r} and {limits!r}."
                )
            bounds = (*bounds, Limit(MEASURED["size"](), float(max_model_size), SIZE_ARGUMENT))
        whole = given if weighing is None else (weighing.objective, *given)
        return cls(whole, weighing, bounds)

    @property
    def derived(self) -> Derived:
        """The metrics that are computed from a model, once or after each epoch."""
        # An objective before a limit of the same name, and both before what is only counted.
        every = (*self.counted, *self._limited, *self.objectives)
        quantities = {one.name: one for one in every}
        measured = tuple(one for one in quantities.values() if one.of is not None)
        return Derived(measured, self.weighing)

    @property
    def logged(self) -> list[Objective]:
        """The objectives and limited metrics that the model itself logs."""
        names = self.derived.names
        quantities = {one.name: one for one in (*self.objectives, *self._limited)}
        return [one for one in quantities.values() if one.name not in names]

    @property
    def _limited(self) -> list[Objective]:
        return [one.objective for one in self.limits]

    def compared(self) -> dict[str, Any]:
        """Returns the settings that a resume compares besides names and directions."""
        found = to_settings(self.limits)
        measures = {one.name: one.of for one in (*self._limited, *self.objectives) if one.of}
        # A function of this package is known by its metric's name, whatever its code.
        own = {name: of for name, of in measures.items() if of not in _BY_NAME}
        if own:
            found["measures"] = {name: describe(of) for name, of in own.items()}
        if self.weighing is not None:
            found["weights"] = [weight for _, weight in self.weighing.parts]
        return found
