"""The tuner that our benchmarks recommend."""

from __future__ import annotations

from typing import Any, Unpack

from kerashpo.schedulers.registry import PAIRS
from kerashpo.tuners.base import Tuner
from kerashpo.tuners.strategy import Schedule, Strategy
from kerashpo.tuners.tuner_options import TunerArguments, as_whole

FOLDS = 5
"""Folds of the final round where nothing else is said."""


class Recommended(Tuner):
    """ASHA with a Gaussian process, and a final round of cross-validation.

    Configurations are proposed by Bayesian optimisation and given up early by asynchronous
    successive halving. Then the best ones and the default configuration are trained on five
    folds, within the same budget: ``tuner.results.final.model`` averages the winner's fold
    models, which generalises better than any single checkpoint. Data that cannot be cut by rows
    (generators, `tf.data`) are searched without a final round; ``tuner.results.ensemble(10)``
    averages the best trials there.

    Args:
        hypermodel: see `Tuner`.
        objective: see `Tuner`.
        max_trials: configurations to start.
        max_epochs: the most epochs that one trial is trained.
        seed: see `Tuner`.
        final_round: how many folds, a splitter of scikit-learn, or False for none;
            ``search(final_round=...)`` overrides it.
        **options: see `Tuner`.

    Raises:
        InvalidInput: e.g. for no epochs.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int | None = 50,
        max_epochs: int = 50,
        *,
        seed: int | None = None,
        final_round: Any = FOLDS,
        **options: Unpack[TunerArguments],
    ) -> None:
        pair = PAIRS["recommended"]
        schedule = Schedule(pair.scheduler, pair.options, as_whole(max_epochs))
        self._usual_final = final_round
        super().__init__(
            Strategy(pair.algorithm, pair.hints, schedule),
            hypermodel,
            objective=objective,
            max_trials=max_trials,
            seed=seed,
            **options,
        )
