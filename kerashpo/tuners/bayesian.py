"""The tuner for Bayesian optimisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from kerashpo.algorithms.bayesian import BayesianOptimization as Model
from kerashpo.algorithms.explain import Explanation, FrontExplanation
from kerashpo.core.errors import InvalidInput
from kerashpo.tuners.base import Tuner
from kerashpo.tuners.strategy import Strategy, full_or_median
from kerashpo.tuners.tuner_options import TunerArguments, as_whole


class BayesianOptimization(Tuner):
    """Bayesian optimisation with a Gaussian process; every trial is trained to the end.

    With several objectives it maximises the expected hypervolume improvement, with a Gaussian
    process for each objective.

    Args:
        hypermodel: see `Tuner`.
        objective: see `Tuner`.
        max_trials: how many configurations to try.
        num_initial_points: trials before the model proposes; None for between 4 and 10.
        alpha: added to the diagonal of the kernel matrix, besides the fitted noise.
        beta: standard deviations of the acquisition "ucb".
        seed: see `Tuner`.
        acquisition: ``"logei"``, ``"ei"``, ``"pi"`` or ``"ucb"``.
        scheduler, scheduler_options: see `RandomSearch`.
        **options: see `Tuner`.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int | None = 10,
        num_initial_points: int | None = None,
        alpha: float = 1e-4,
        beta: float = 2.6,
        seed: int | None = None,
        *,
        acquisition: str = "logei",
        scheduler: str = "full",
        scheduler_options: Mapping[str, Any] | None = None,
        **options: Unpack[TunerArguments],
    ) -> None:
        search = {
            "num_initial_points": as_whole(num_initial_points),
            "alpha": alpha,
            "beta": beta,
            "acquisition": acquisition,
        }
        schedule = full_or_median(scheduler, scheduler_options)
        super().__init__(
            Strategy("bayesian", search, schedule),
            hypermodel,
            objective=objective,
            max_trials=max_trials,
            seed=seed,
            **options,
        )

    def explain(self) -> Explanation | FrontExplanation:
        """Returns the model's relevances, its predicted optimum and its next proposal.

        With several objectives it says for each what the next configuration is expected to gain or
        lose against the knee of the front.

        Raises:
            InvalidInput: before a trial has a score.
        """
        history = self.results.history
        model = Model(self.results.space, history.seed, **self._strategy.options)
        found = model.explain(history)
        if found is None:
            raise InvalidInput("No trial has a score yet, so there is nothing to explain.")
        return found
