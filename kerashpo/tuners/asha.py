"""The ASHA tuner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerashpo.core.errors import InvalidInput, unknown
from kerashpo.tuners.banded import BandedTuner
from kerashpo.tuners.options import read_options

_VARIANTS = {"promotion": "asha", "stopping": "asha_stopping"}


class ASHA(BandedTuner):
    """Asynchronous successive halving (Li et al., 2020); never waits for a rung to fill.

    With ``algorithm="bayesian"`` a Gaussian process proposes the configurations, which is
    MOBSTER's idea (Klein et al., 2020).

    Args:
        hypermodel: see `Tuner`.
        objective: see `Tuner`.
        max_trials: configurations to start; then the promotions are finished. On an endless
            space this, `max_epochs_total` or `max_minutes` must bound the search.
        max_epochs: the most epochs that one trial is trained.
        factor: of how many trials of a rung one is promoted, and how much longer it trains.
        min_epochs: epochs of the first rung.
        variant: ``"promotion"`` pauses and continues trials; ``"stopping"`` trains each on
            until it is no longer good enough, for models that cannot be saved.
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
        max_trials: int | None = None,
        max_epochs: int = 100,
        factor: int = 3,
        *,
        min_epochs: int = 1,
        variant: str = "promotion",
        algorithm: str = "random",
        algorithm_options: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        if variant not in _VARIANTS:
            raise unknown("variant", variant, _VARIANTS)
        shape = {"max_epochs": max_epochs, "factor": factor, "min_epochs": min_epochs}
        own = ("max_epochs", "factor", "min_epochs", "variant", "algorithm")
        given = {"objective": objective, "max_trials": max_trials, **options}
        shared = read_options(type(self), given, own)
        kind = _VARIANTS[variant]
        super().__init__(hypermodel, shared, kind, shape, algorithm, algorithm_options)
        bounds = (shared.max_epochs_total, shared.max_minutes)
        if self._limit == float("inf") and bounds == (None, None):
            raise InvalidInput(
                "ASHA goes on until something bounds it. Pass max_trials, max_epochs_total or "
                "max_minutes."
            )
