"""Learning curves from a formula: power laws that may cross."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, final

from kerashpo.space.constructors import loguniform, uniform
from kerashpo.space.space import Space


def _space() -> Space:
    return Space({"quality": uniform(0.0, 1.0), "speed": loguniform(0.1, 10.0)})


@final
@dataclass(frozen=True, slots=True)
class PowerLaw:
    """Errors that fall as ``quality + (1 - quality) * (1 + epoch) ** -speed``.

    The form is that of Domhan, Springenberg and Hutter (IJCAI 2015), "pow3". A fast
    learner may end worse than a slow one, so that early rungs err.

    Attributes:
        max_epochs: how many epochs the curves have.
        seconds: training time of one epoch.
    """

    max_epochs: int = 81
    seconds: float = 1.0
    space: Space = field(default_factory=_space)
    direction: Literal["min", "max"] = "min"

    def evaluate(self, config: dict[str, Any], epoch: int) -> tuple[float, float]:
        """Returns the error after `epoch` epochs, and the seconds up to then."""
        floor = float(config["quality"])
        error = floor + (1.0 - floor) * (1 + epoch) ** -float(config["speed"])
        return error, self.seconds * epoch
