"""The tuner for random search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from kerashpo.tuners.base import Tuner
from kerashpo.tuners.strategy import Strategy, full_or_median
from kerashpo.tuners.tuner_options import TunerArguments


class RandomSearch(Tuner):
    """Random search: random configurations without repeats, each trained to the end.

    Args:
        hypermodel: see `Tuner`.
        objective: see `Tuner`.
        max_trials: how many configurations to try.
        seed: see `Tuner`.
        scheduler: ``"full"``, or ``"median"`` to stop a trial whose best epoch is worse than the
            median of the trials before it (Golovin et al., 2017).
        scheduler_options: of ``"median"``: ``min_epochs`` (1), the first epoch at which a trial
            can be stopped, and ``min_trials`` (5), how many other trials the median needs.
        **options: see `Tuner`.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int | None = 10,
        seed: int | None = None,
        *,
        scheduler: str = "full",
        scheduler_options: Mapping[str, Any] | None = None,
        **options: Unpack[TunerArguments],
    ) -> None:
        strategy = Strategy("random", schedule=full_or_median(scheduler, scheduler_options))
        super().__init__(
            strategy, hypermodel, objective=objective, max_trials=max_trials, seed=seed, **options
        )
