"""`Strategy`: an algorithm and a training schedule, as values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

from kerashpo.algorithms.earlier_studies import EarlierStudy
from kerashpo.algorithms.registry import algorithm_class, algorithm_entry, algorithm_names
from kerashpo.core.errors import InvalidInput, unknown
from kerashpo.core.objective import several_rank
from kerashpo.core.records import Objective
from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.registry import make_scheduler, scheduler_class


@final
@dataclass(frozen=True, slots=True)
class Schedule:
    """The training schedule of trials: a scheduler's name and arguments.

    Attributes:
        name: a name of `kerashpo.schedulers.registry`.
        options: the scheduler's arguments.
        max_epochs: the most epochs of one trial, if the schedule plans them; None if
            `search(epochs=...)` sets them.
    """

    name: str = "full"
    options: Mapping[str, Any] = field(default_factory=dict)
    max_epochs: int | None = None

    @property
    def plans_epochs(self) -> bool:
        """Whether trials are trained in rungs, whose epochs the schedule chooses."""
        return self.max_epochs is not None

    def make(
        self, epochs: int | None = None, limit: float = math.inf, budget: float = math.inf
    ) -> Scheduler:
        """Returns a new scheduler.

        Args:
            epochs: the argument of `search`, for a schedule that plans none; None for one.
            limit: the most configurations there can be, for the plan.
            budget: the most epochs there can be, for the plan.

        Raises:
            InvalidInput: for an unknown name, or an argument that is out of range.
        """
        longest = epochs or 1 if self.max_epochs is None else self.max_epochs
        return make_scheduler(self.name, longest, self.options, limit=limit, budget=budget)

    def settings(self, epochs: int | None) -> dict[str, Any]:
        """Returns the schedule's entries in a study's settings, see `scheduler_of`."""
        length = {"max_epochs": self.max_epochs} if self.plans_epochs else {"epochs": epochs or 1}
        return {"scheduler": self.name, **length, **self.options}

    def __str__(self) -> str:
        shown = {key: value for key, value in self.options.items() if key == "factor"}
        return "(" + ", ".join(f"{k} {v}" for k, v in shown.items()) + ")" if shown else ""


@final
@dataclass(frozen=True, slots=True)
class Strategy:
    """The algorithm and schedule of a tuner; the counterpart of an oracle in KerasTuner.

    Attributes:
        algorithm: proposes configurations, a name of `kerashpo.algorithms.registry`.
        options: further arguments of the algorithm.
        schedule: how long each trial is trained.
    """

    algorithm: str
    options: Mapping[str, Any] = field(default_factory=dict)
    schedule: Schedule = Schedule()

    def warmed(self, sources: Sequence[EarlierStudy]) -> Strategy:
        """Returns the strategy with earlier studies for its algorithm, itself if there are none."""
        if not sources:
            return self
        return replace(self, options={**self.options, "warm_start": tuple(sources)})

    def check(self) -> None:
        """Raises InvalidInput for an unknown name, or an invalid schedule.

        A schedule whose epochs are passed to `search` is checked there.
        """
        algorithm_class(self.algorithm)
        if self.schedule.plans_epochs:
            self.schedule.make()

    def check_objectives(self, objectives: Sequence[Objective]) -> None:
        """Raises InvalidInput for several objectives if the strategy supports only one."""
        if not several_rank(objectives):
            return
        names = ", ".join(one.name for one in objectives)
        if not algorithm_entry(self.algorithm).several:
            able = [name for name in algorithm_names() if algorithm_entry(name).several]
            raise InvalidInput(
                f"The algorithm {self.algorithm!r} optimises one objective. Received several: "
                f"{names}. Pass weights= to optimise their weighted sum, or an algorithm that "
                f"searches for their Pareto front: {', '.join(able)}."
            )
        if not scheduler_class(self.schedule.name).several:
            raise InvalidInput(
                f"The scheduler {self.schedule.name!r} compares trials by one objective. "
                f"Received several: {names}. Pass weights=, or another scheduler."
            )


_UNPLANNED = ("full", "median")
"""Schedulers that train for the epochs given to `search`."""


def full_or_median(name: str, options: Mapping[str, Any] | None) -> Schedule:
    """Returns the schedule of a tuner whose trials train for the epochs given to `search`.

    Args:
        name: ``"full"`` or ``"median"``.
        options: the scheduler's arguments.

    Raises:
        InvalidInput: for another name, listing those allowed, or an unknown option.
    """
    if name not in _UNPLANNED:
        raise unknown("scheduler", name, _UNPLANNED)
    schedule = Schedule(name, dict(options or {}))
    schedule.make(epochs=10**9)  # only to check the options
    return schedule
