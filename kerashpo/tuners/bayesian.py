"""The Bayesian tuner."""

from __future__ import annotations

from typing import Any, final

from kerashpo.tuners.full import FullTuner
from kerashpo.tuners.tuner import read_options


@final
class BayesianOptimization(FullTuner):
    """A Gaussian process proposes each configuration; every trial is trained to the end.

    Args:
        hypermodel: see `Tuner`.
        objective: see `Tuner`.
        max_trials: how many configurations to try.
        num_initial_points: trials before the model decides; None for between 5 and 10.
        alpha: added to the diagonal of the kernel matrix, besides the fitted noise.
        beta: how many standard deviations the acquisition "ucb" trusts.
        acquisition: ``"logei"``, ``"ei"``, ``"pi"`` or ``"ucb"``.
        **options: see `Tuner`.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int = 10,
        num_initial_points: int | None = None,
        alpha: float = 1e-4,
        beta: float = 2.6,
        *,
        acquisition: str = "logei",
        **options: Any,
    ) -> None:
        given = {"objective": objective, "max_trials": max_trials, **options}
        own = ("num_initial_points", "alpha", "beta", "acquisition")
        search = {
            "num_initial_points": num_initial_points,
            "alpha": alpha,
            "beta": beta,
            "acquisition": acquisition,
        }
        super().__init__(hypermodel, read_options(type(self), given, own), "bayesian", search)
