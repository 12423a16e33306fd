"""The NSGA-II tuner, for several objectives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from kerashpo.tuners.base import Tuner
from kerashpo.tuners.strategy import Strategy, full_or_median
from kerashpo.tuners.tuner_options import TunerArguments, as_whole


class NSGA2(Tuner):
    """NSGA-II: crosses and mutates the best trials; every trial is trained to the end.

    Intended for several objectives (``objective=["val_accuracy", "val_loss"]``); accepts one too.

    Args:
        hypermodel: see `Tuner`.
        objective: see `Tuner`.
        max_trials: how many configurations to try.
        population_size: how many of the best trials are parents.
        crossover: the probability that a child has two parents.
        mutation: the probability that a value mutates; None for one value in each child.
        seed: see `Tuner`.
        scheduler, scheduler_options: see `RandomSearch`.
        **options: see `Tuner`.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int | None = 100,
        population_size: int = 20,
        crossover: float = 0.9,
        mutation: float | None = None,
        seed: int | None = None,
        *,
        scheduler: str = "full",
        scheduler_options: Mapping[str, Any] | None = None,
        **options: Unpack[TunerArguments],
    ) -> None:
        search = {
            "population_size": as_whole(population_size),
            "crossover": crossover,
            "mutation": mutation,
        }
        super().__init__(
            Strategy("nsga2", search, full_or_median(scheduler, scheduler_options)),
            hypermodel,
            objective=objective,
            max_trials=max_trials,
            seed=seed,
            **options,
        )
