"""Oracles for full training: every trial is trained to the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from keras_tuner.src.tuners import bayesian as upstream

from kerashpo.oracles.algorithm_oracle import AlgorithmOracle
from kerashpo.oracles.base import OracleOptions, with_shared_options
from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.full_training import Full


class FullOracle(AlgorithmOracle):
    """Full training; the tuner decides for how many epochs."""

    def _scheduler(self) -> Scheduler:
        return Full(1)


class RandomSearchOracle(FullOracle):
    """Random search without repeats; every configuration of a finite space is tried once.

    Args:
        objective: see `FixedOracle`.
        max_trials: the most trials.
        warm_start: earlier studies, whose best configurations are tried first, see
            `kerashpo.optimize`.
        **shared: see `FixedOracle`; by position too, as in KerasTuner.
    """

    @with_shared_options
    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = 10,
        *,
        warm_start: Any = (),
        **shared: Unpack[OracleOptions],
    ) -> None:
        super().__init__(
            "random",
            objective=objective,
            max_trials=max_trials,
            warm_start=warm_start,
            **shared,
        )


class SearchOracle(FullOracle):
    """Full training of the configurations that any algorithm proposes.

    Args:
        objective: see `FixedOracle`.
        max_trials: the most trials.
        algorithm: proposes configurations, a name of `kerashpo.algorithms`: ``"tpe"``, ``"cmaes"``,
            ``"de"``, ``"pso"``, ``"policy"``, ``"bayesian"``, ``"sobol"`` or ``"random"``.
        algorithm_options: further arguments of the algorithm.
        warm_start: earlier studies, whose best configurations are tried first, see
            `kerashpo.optimize`.
        **shared: see `FixedOracle`; by position too, as in KerasTuner.

    Raises:
        InvalidInput: for an unknown algorithm or option.
    """

    @with_shared_options
    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = 10,
        *,
        algorithm: str = "bayesian",
        algorithm_options: Mapping[str, Any] | None = None,
        warm_start: Any = (),
        **shared: Unpack[OracleOptions],
    ) -> None:
        super().__init__(
            algorithm,
            dict(algorithm_options or {}),
            objective=objective,
            max_trials=max_trials,
            warm_start=warm_start,
            **shared,
        )


class BayesianOptimizationOracle(FullOracle):
    """Bayesian optimisation; pending trials are given their expected score.

    Args:
        objective: see `FixedOracle`.
        max_trials: the most trials.
        num_initial_points: trials before the model proposes; None for between 5 and 10.
        alpha: added to the diagonal of the kernel matrix, besides the fitted noise.
        beta: standard deviations of the acquisition "ucb".
        acquisition: ``"logei"``, ``"ei"``, ``"pi"`` or ``"ucb"``.
        warm_start: earlier studies, whose best configurations are tried first, see
            `kerashpo.optimize`.
        **shared: see `FixedOracle`; by position too, as in KerasTuner.

    Raises:
        ImportError: if KerasTuner found scipy or scikit-learn missing; KerasTuner's raises it too.
    """

    @with_shared_options
    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = 10,
        num_initial_points: int | None = None,
        alpha: float = 1e-4,
        beta: float = 2.6,
        *,
        acquisition: str = "logei",
        warm_start: Any = (),
        **shared: Unpack[OracleOptions],
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
            warm_start=warm_start,
            **shared,
        )


def _require(module: str, package: str) -> None:
    """Raises ImportError if a module was missing when KerasTuner was imported."""
    if getattr(upstream, module) is None:
        raise ImportError(
            f"Please install {package} before using the `BayesianOptimization`: "
            f"pip install {package}"
        )
