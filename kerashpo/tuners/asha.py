"""The ASHA tuner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from kerashpo.core.errors import unknown
from kerashpo.tuners.base import Tuner
from kerashpo.tuners.strategy import Schedule, Strategy
from kerashpo.tuners.tuner_options import TunerArguments, as_whole

_VARIANTS = {"promotion": "asha", "stopping": "asha_stopping"}


class ASHA(Tuner):
    """Asynchronous successive halving (Li et al., 2020); never waits for a rung to fill.

    With ``algorithm="bayesian"`` a Gaussian process proposes the configurations, which is
    MOBSTER's idea (Klein et al., 2020).

    Args:
        hypermodel: see `Tuner`.
        objective: see `Tuner`.
        max_trials: configurations to start; the search ends when their promotions are finished. On
            an infinite space this, `max_epochs_total` or `max_minutes` must limit the search.
        max_epochs: the most epochs that one trial is trained.
        factor: the reduction factor: one in `factor` trials of a rung is promoted, and
            trained `factor` times as long.
        seed: see `Tuner`.
        min_epochs: epochs of the first rung.
        variant: ``"promotion"`` pauses and continues trials; ``"stopping"`` trains each until it
            is no longer good enough, for models that cannot be saved.
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
        max_trials: int | None = None,
        max_epochs: int = 100,
        factor: int = 3,
        *,
        seed: int | None = None,
        min_epochs: int = 1,
        variant: str = "promotion",
        algorithm: str = "random",
        algorithm_options: Mapping[str, Any] | None = None,
        **options: Unpack[TunerArguments],
    ) -> None:
        if variant not in _VARIANTS:
            raise unknown("variant", variant, _VARIANTS)
        shape = {"factor": as_whole(factor), "min_epochs": as_whole(min_epochs)}
        schedule = Schedule(_VARIANTS[variant], shape, as_whole(max_epochs))
        super().__init__(
            Strategy(algorithm, algorithm_options or {}, schedule),
            hypermodel,
            objective=objective,
            max_trials=max_trials,
            seed=seed,
            **options,
        )
