"""The Hyperband tuner."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Unpack

from kerashpo.tuners.base import Tuner
from kerashpo.tuners.strategy import Schedule, Strategy
from kerashpo.tuners.tuner_options import TunerArguments, as_whole


class Hyperband(Tuner):
    """Hyperband (Li et al., 2018); promoted trials continue exactly where they paused.

    With ``algorithm="bayesian"`` a Gaussian process proposes the configurations, which is
    BOHB's idea (Falkner et al., 2018).

    Args:
        hypermodel: see `Tuner`.
        objective: see `Tuner`.
        max_epochs: the most epochs that one trial is trained.
        factor: the reduction factor: one in `factor` trials is promoted, and trained `factor`
                times as long.
        hyperband_iterations: how often the whole set of brackets is run; None (or inf) for as
            long as there are configurations or `max_epochs_total` or `max_minutes` allow.
        seed: see `Tuner`.
        max_trials: the most configurations to start; None for all of the brackets.
        min_epochs: the fewest epochs of a first rung.
        algorithm: proposes configurations, a name of `kerashpo.algorithms`.
        algorithm_options: further arguments of the algorithm.
        **options: see `Tuner`.

    Raises:
        InvalidInput: e.g. for a factor below 2, no epochs or no bound.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: float | None = 1,
        seed: int | None = None,
        *,
        max_trials: int | None = None,
        min_epochs: int = 1,
        algorithm: str = "random",
        algorithm_options: Mapping[str, Any] | None = None,
        **options: Unpack[TunerArguments],
    ) -> None:
        endless = hyperband_iterations in (None, math.inf)
        shape = {
            "factor": as_whole(factor),
            "iterations": None if endless else as_whole(hyperband_iterations),
            "min_epochs": as_whole(min_epochs),
        }
        schedule = Schedule("hyperband", shape, as_whole(max_epochs))
        super().__init__(
            Strategy(algorithm, algorithm_options or {}, schedule),
            hypermodel,
            objective=objective,
            max_trials=max_trials,
            seed=seed,
            **options,
        )
