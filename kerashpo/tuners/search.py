"""The tuner for any algorithm, selected by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from kerashpo.tuners.base import Tuner
from kerashpo.tuners.strategy import Strategy, full_or_median
from kerashpo.tuners.tuner_options import TunerArguments


class Search(Tuner):
    """Full training with any algorithm: TPE, CMA-ES, differential evolution, ...

    To stop trials early, `Hyperband` and `ASHA` accept the same ``algorithm=``.

    Args:
        hypermodel: see `Tuner`.
        objective: see `Tuner`.
        max_trials: how many configurations to try.
        seed: see `Tuner`.
        algorithm: proposes configurations, a name of `kerashpo.algorithms`: ``"bayesian"``,
            ``"tpe"``, ``"cmaes"``, ``"de"``, ``"pso"``, ``"policy"``, ``"sobol"``, ``"random"``,
            ``"grid"``, or ``"auto"``, which chooses one.
        algorithm_options: further arguments of the algorithm, such as ``{"gamma": 0.2}``.
        scheduler, scheduler_options: see `RandomSearch`.
        **options: see `Tuner`.

    Raises:
        InvalidInput: for an unknown algorithm or option.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int | None = 10,
        seed: int | None = None,
        *,
        algorithm: str = "bayesian",
        algorithm_options: Mapping[str, Any] | None = None,
        scheduler: str = "full",
        scheduler_options: Mapping[str, Any] | None = None,
        **options: Unpack[TunerArguments],
    ) -> None:
        schedule = full_or_median(scheduler, scheduler_options)
        super().__init__(
            Strategy(algorithm, dict(algorithm_options or {}), schedule),
            hypermodel,
            objective=objective,
            max_trials=max_trials,
            seed=seed,
            **options,
        )
