"""The Hyperband tuner."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from kerashpo.core.errors import InvalidInput
from kerashpo.tuners.banded import BandedTuner
from kerashpo.tuners.options import read_options


class Hyperband(BandedTuner):
    """Hyperband (Li et al., 2018); promoted trials go on exactly where they paused.

    With ``algorithm="bayesian"`` a Gaussian process proposes the configurations, which is
    BOHB's idea (Falkner et al., 2018).

    Args:
        hypermodel: see `Tuner`.
        objective: see `Tuner`.
        max_epochs: the most epochs that one trial is trained.
        factor: of how many trials one is promoted, and how much longer it trains.
        hyperband_iterations: how often the whole set of brackets is run; None (or inf) for as
            long as there are configurations or `max_epochs_total` or `max_minutes` allow.
        seed: see `Tuner`.
        min_epochs: the fewest epochs of a first rung.
        algorithm: where to look next: ``"random"``, ``"sobol"``, ``"grid"`` or ``"bayesian"``.
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
        min_epochs: int = 1,
        algorithm: str = "random",
        algorithm_options: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        endless = hyperband_iterations in (None, math.inf)
        shape = {
            "max_epochs": max_epochs,
            "factor": factor,
            "iterations": None if endless else hyperband_iterations,
            "min_epochs": min_epochs,
        }
        own = ("max_epochs", "factor", "hyperband_iterations", "min_epochs", "algorithm")
        shared = read_options(type(self), {"objective": objective, "seed": seed, **options}, own)
        super().__init__(hypermodel, shared, "hyperband", shape, algorithm, algorithm_options)
        bounds = (self._limit, shared.max_epochs_total, shared.max_minutes)
        if endless and bounds == (math.inf, None, None):
            raise InvalidInput(
                "hyperband_iterations=None goes on until something bounds it. Pass max_trials, "
                "max_epochs_total or max_minutes, or a number of iterations."
            )
