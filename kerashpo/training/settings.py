"""Training settings of a search, and metrics derived from the model or other metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, final

from kerashpo.core.errors import InvalidInput
from kerashpo.core.objective import WEIGHTED, Scoring, Weighing
from kerashpo.core.records import Objective


@final
@dataclass(frozen=True, slots=True)
class Derived:
    """Derived metrics, which are added to the metrics of every epoch before they are logged.

    Attributes:
        measured: objectives that are functions of the model.
        weighing: the weighted sum of the objectives, None if trials are ranked by the first one.
    """

    measured: tuple[Objective, ...] = ()
    weighing: Weighing | None = None

    @property
    def names(self) -> frozenset[str]:
        """The names of the derived metrics."""
        names = {one.name for one in self.measured}
        return frozenset(names | {WEIGHTED}) if self.weighing else frozenset(names)

    def add(self, metrics: Mapping[str, float], model: Any) -> dict[str, float]:
        """Returns an epoch's metrics with the derived ones.

        Raises:
            InvalidInput: if a function of the model does not return a number.
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


@final
@dataclass(frozen=True, slots=True)
class Settings:
    """Training settings, the same for every trial of a search.

    Attributes:
        objective: determines the best epoch, whose weights are kept.
        seed: the study's seed.
        max_epochs: the most epochs of a trial.
        runs: how often each configuration is trained, each time with other random streams.
        fast: ``"auto"``, True or False, see `kerashpo.training.loops.base.choose`.
        keep_in_memory: the most bytes of paused trials in memory.
        checkpoint_every: seconds of training between checkpoints.
        max_model_size: the most weights of a model; a larger one fails its trial. None: no limit.
        scoring: the epochs of a run that count for its score.
        derived: metrics that are added to those that the model logs.
        folds: the number of further runs that a final round may add to a trial.
    """

    objective: Objective
    seed: int
    max_epochs: int
    runs: int = 1
    fast: bool | Literal["auto"] = "auto"
    keep_in_memory: int = 10**9
    checkpoint_every: float = 1.0
    max_model_size: int | None = None
    scoring: Scoring = Scoring()
    derived: Derived = Derived()
    folds: int = 0
