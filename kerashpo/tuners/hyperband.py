"""The Hyperband tuner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerashpo.tuners.arguments import read_options
from kerashpo.tuners.banded import BandedTuner


class Hyperband(BandedTuner):
    """Hyperband (Li et al., 2018); promoted trials go on exactly where they paused.

    With ``algorithm="bayesian"`` a Gaussian process proposes the configurations, which is
    BOHB's idea (Falkner et al., 2018).

    Args:
        hypermodel: see `Tuner`.
        objective: see `Tuner`.
        max_epochs: the most epochs that one trial is trained.
        factor: of how many trials one is promoted, and how much longer it trains.
        hyperband_iterations: how often the whole set of brackets is run.
        min_epochs: the fewest epochs of a first rung.
        algorithm: where to look next: ``"random"``, ``"sobol"``, ``"grid"`` or ``"bayesian"``.
        algorithm_options: further arguments of the algorithm.
        **options: see `Tuner`.

    Raises:
        InvalidInput: e.g. for a factor below 2 or no epochs.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: int = 1,
        *,
        min_epochs: int = 1,
        algorithm: str = "random",
        algorithm_options: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        shape = {
            "max_epochs": max_epochs,
            "factor": factor,
            "iterations": hyperband_iterations,
            "min_epochs": min_epochs,
        }
        own = ("max_epochs", "factor", "hyperband_iterations", "min_epochs", "algorithm")
        shared = read_options(type(self), {"objective": objective, **options}, own)
        super().__init__(hypermodel, shared, "hyperband", shape, algorithm, algorithm_options)
