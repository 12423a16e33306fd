"""Multi-fidelity oracles, which plan epochs: each promotion is a new trial in KerasTuner."""

from __future__ import annotations

from typing import Any, Unpack

from kerashpo.core.errors import InvalidInput, require_integer
from kerashpo.oracles.algorithm_oracle import AlgorithmOracle, with_epochs
from kerashpo.oracles.base import OracleOptions, require_hyperband_factor, with_shared_options
from kerashpo.schedulers.asha import ASHA
from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.hyperband import Hyperband


class MultiFidelityOracle(AlgorithmOracle):
    """Multi-fidelity search: passes the epochs to train in the values that KerasTuner reads.

    `keras_tuner.Hyperband` follows them; another tuner has to read ``tuner/epochs`` and
    ``tuner/initial_epoch`` in `run_trial`, and load the weights of ``tuner/trial_id``.
    """

    def _started(self, config: dict[str, Any], until: int) -> dict[str, Any]:
        return with_epochs(config, until)


class HyperbandOracle(MultiFidelityOracle):
    """Hyperband (Li et al., 2018), with the paper's brackets.

    Args:
        objective: see `FixedOracle`.
        max_epochs: the most epochs that one model is trained.
        factor: the reduction factor: one of `factor` trials is promoted, to `factor` times the
                epochs.
        hyperband_iterations: how often all brackets are run; None for as long as there are
            configurations.
        algorithm: proposes configurations; ``"bayesian"`` is the idea of BOHB.
        warm_start: earlier studies, whose best configurations are tried first, see
            `kerashpo.optimize`.
        **shared: see `FixedOracle`; by position too, as in KerasTuner.

    Raises:
        InvalidInput: for a factor below 2, or no epochs.
    """

    @with_shared_options
    def __init__(
        self,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: int | None = 1,
        *,
        algorithm: str = "random",
        warm_start: Any = (),
        **shared: Unpack[OracleOptions],
    ) -> None:
        require_hyperband_factor(factor)
        Hyperband(max_epochs, factor, hyperband_iterations)
        self.max_epochs, self.factor = max_epochs, factor
        self.hyperband_iterations = hyperband_iterations
        super().__init__(
            algorithm,
            objective=objective,
            warm_start=warm_start,
            **shared,
        )

    def _scheduler(self) -> Scheduler:
        return Hyperband(self.max_epochs, self.factor, self.hyperband_iterations)


class ASHAOracle(MultiFidelityOracle):
    """Asynchronous successive halving (Li et al., 2020): never waits for a rung to fill.

    Args:
        objective: see `FixedOracle`.
        max_trials: configurations to start; promotions, which KerasTuner counts as trials
            too, are not included. None only for a finite space.
        max_epochs: the most epochs that one model is trained.
        factor: the reduction factor: one of `factor` trials is promoted, to `factor` times the
                epochs.
        min_epochs: epochs of the first rung.
        algorithm: proposes configurations; ``"bayesian"`` is the idea of MOBSTER.
        warm_start: earlier studies, whose best configurations are tried first, see
            `kerashpo.optimize`.
        **shared: see `FixedOracle`; by position too, as in KerasTuner.

    Raises:
        InvalidInput: for a factor below 2, or no epochs.
    """

    @with_shared_options
    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = 100,
        max_epochs: int = 100,
        factor: int = 3,
        min_epochs: int = 1,
        *,
        algorithm: str = "random",
        warm_start: Any = (),
        **shared: Unpack[OracleOptions],
    ) -> None:
        if max_trials is not None:
            require_integer("max_trials", max_trials, 1)
        require_hyperband_factor(factor)
        ASHA(max_epochs, factor, min_epochs)
        self.max_epochs, self.factor, self.min_epochs = max_epochs, factor, min_epochs
        super().__init__(
            algorithm,
            configurations=max_trials,
            objective=objective,
            warm_start=warm_start,
            **shared,
        )

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the values of the next trial.

        Raises:
            InvalidInput: if nothing limits the search.
        """
        if self._configurations is None and self._space().size == float("inf"):
            raise InvalidInput(
                "ASHA continues until a limit is reached, and this space is infinite. "
                "Pass max_trials. Received: max_trials=None."
            )
        return super().populate_space(trial_id)

    def _scheduler(self) -> Scheduler:
        return ASHA(self.max_epochs, self.factor, self.min_epochs)
