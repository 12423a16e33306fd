"""Oracles whose trials are all trained to the end."""

from __future__ import annotations

from typing import Any

from keras_tuner.src.tuners import bayesian as upstream

from kerashpo.oracles.engine import EngineOracle
from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.full import Full


class FullOracle(EngineOracle):
    """How long a trial trains is the tuner's to say: to an oracle it is one step."""

    def _scheduler(self) -> Scheduler:
        return Full(1)


class RandomSearchOracle(FullOracle):
    """Random configurations, none twice; a finite space is tried to its end.

    Args:
        objective: see `FixedOracle`.
        max_trials: trials at most.
        seed: see `FixedOracle`.
        hyperparameters: see `FixedOracle`.
        allow_new_entries: see `FixedOracle`.
        tune_new_entries: see `FixedOracle`.
        max_retries_per_trial: see `FixedOracle`.
        max_consecutive_failed_trials: see `FixedOracle`.
    """

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = 10,
        seed: int | None = None,
        hyperparameters: Any = None,
        allow_new_entries: bool = True,
        tune_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int | None = 3,
    ) -> None:
        super().__init__(
            "random",
            objective=objective,
            max_trials=max_trials,
            seed=seed,
            hyperparameters=hyperparameters,
            allow_new_entries=allow_new_entries,
            tune_new_entries=tune_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )


class BayesianOptimizationOracle(FullOracle):
    """A Gaussian process proposes; trials still running count with their expected value.

    Args:
        objective: see `FixedOracle`.
        max_trials: trials at most.
        num_initial_points: trials before the model decides; None for between 5 and 10.
        alpha: added to the diagonal of the kernel matrix, besides the fitted noise.
        beta: how many standard deviations the acquisition "ucb" trusts.
        seed: see `FixedOracle`.
        hyperparameters: see `FixedOracle`.
        tune_new_entries: see `FixedOracle`.
        allow_new_entries: see `FixedOracle`.
        max_retries_per_trial: see `FixedOracle`.
        max_consecutive_failed_trials: see `FixedOracle`.
        acquisition: ``"logei"``, ``"ei"``, ``"pi"`` or ``"ucb"``.

    Raises:
        ImportError: where KerasTuner found scipy or scikit-learn missing, as upstream's does.
    """

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = 10,
        num_initial_points: int | None = None,
        alpha: float = 1e-4,
        beta: float = 2.6,
        seed: int | None = None,
        hyperparameters: Any = None,
        allow_new_entries: bool = True,
        tune_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int | None = 3,
        *,
        acquisition: str = "logei",
    ) -> None:
        _require("scipy", "scipy")
        _require("sklearn", "scikit-learn")
        options = {
            "num_initial_points": num_initial_points,
            "alpha": alpha,
            "beta": beta,
            "acquisition": acquisition,
        }
        super().__init__(
            "bayesian",
            options,
            objective=objective,
            max_trials=max_trials,
            seed=seed,
            hyperparameters=hyperparameters,
            allow_new_entries=allow_new_entries,
            tune_new_entries=tune_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )


def _require(module: str, package: str) -> None:
    """Raises ImportError if KerasTuner's Bayesian tuner did without a module."""
    if getattr(upstream, module) is None:
        raise ImportError(
            f"Please install {package} before using the `BayesianOptimization`: "
            f"pip install {package}"
        )
