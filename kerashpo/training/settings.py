"""Training settings of a search, and metrics derived from the model or other metrics."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, final

from kerashpo.core.errors import InvalidInput
from kerashpo.core.limits import Limit
from kerashpo.core.objective import WEIGHTED, Scoring, Weighing
from kerashpo.core.records import Objective
from kerashpo.core.spread import Measurement
from kerashpo.training.energy import Meter, Usage


@final
@dataclass(frozen=True, slots=True)
class Derived:
    """Derived metrics, which are added to the metrics of every epoch before they are logged.

    Attributes:
        measured: objectives and limited quantities that are functions of the model.
        weighing: the weighted sum of the objectives, None if trials are ranked by the first one.
    """

    measured: tuple[Objective, ...] = ()
    weighing: Weighing | None = None

    @property
    def names(self) -> frozenset[str]:
        """The names of the derived metrics."""
        names = {one.name for one in self.measured}
        return frozenset(names | {WEIGHTED}) if self.weighing else frozenset(names)

    @property
    def of_metrics(self) -> bool:
        """Whether an epoch's metrics and usage suffice, without the model as it is after it."""
        return all(
            one.before_training or bool(getattr(one.of, "of_trial", False)) for one in self.measured
        )

    def source(self, usage: Usage) -> str | None:
        """Returns how the energy of a trial is known, None if nobody asks for it."""
        names = (getattr(one.of, "source", None) for one in self.measured)
        return next((str(found(usage)) for found in names if found is not None), None)

    def meter(self) -> Meter | None:
        """Returns the further meter of energy that an objective asks for, None if none does."""
        if not any(getattr(one.of, "tracker", "") == "codecarbon" for one in self.measured):
            return None
        from kerashpo.training.carbon import CarbonMeter

        return CarbonMeter()

    def untrained(
        self, model: Any, exclusive: AbstractContextManager[Any] = contextlib.nullcontext()
    ) -> dict[str, float]:
        """Returns what is measured once, on the built and untrained model.

        Args:
            model: the model.
            exclusive: entered for functions that other workers' measurements would disturb.

        Raises:
            InvalidInput: if a function of the model does not return a number.
        """
        found: dict[str, float] = {}
        for one in self.measured:
            if one.before_training:
                alone = getattr(one.of, "exclusive", False)
                with exclusive if alone else contextlib.nullcontext():
                    found |= _values(one, model)
        return found

    def add(
        self,
        metrics: Mapping[str, float],
        model: Any,
        untrained: Mapping[str, float],
        usage: Usage = Usage(),
    ) -> dict[str, float]:
        """Returns an epoch's metrics with what is derived.

        Args:
            metrics: the metrics of the epoch.
            model: as it is after it.
            untrained: the result of `untrained`.
            usage: what the trial has used so far.

        Raises:
            InvalidInput: if a function of the model returns no number.
        """
        whole = {**metrics, **untrained}
        for one in self.measured:
            if not one.before_training:
                whole |= _values(one, usage if getattr(one.of, "of_trial", False) else model)
        if self.weighing is not None:
            whole[WEIGHTED] = self.weighing.value(whole)
        return whole


def _values(objective: Objective, subject: Any) -> dict[str, float]:
    """Returns a function's value of a model or a usage, and its spread where it was repeated."""
    assert objective.of is not None
    value = objective.of(subject)
    try:
        found = {objective.name: float(value)}
    except (TypeError, ValueError):
        raise InvalidInput(
            f"The function of the objective {objective.name!r} must return a number. Received: "
            f"{value!r}."
        ) from None
    if isinstance(value, Measurement):
        found[f"{objective.name}_spread"] = value.spread
    return found


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
        limits: an untrained model beyond one fails its trial; the others are judged by epoch.
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
    limits: tuple[Limit, ...] = ()
    scoring: Scoring = Scoring()
    derived: Derived = Derived()
    folds: int = 0

    @property
    def judged(self) -> tuple[Limit, ...]:
        """The limits that are judged at each epoch."""
        return tuple(one for one in self.limits if not one.before_training)
