"""The tuner that our benchmarks recommend."""

from __future__ import annotations

from typing import Any, Unpack

from kerashpo.schedulers.registry import PAIRS
from kerashpo.tuners.base import Tuner
from kerashpo.tuners.strategy import Schedule, Strategy
from kerashpo.tuners.tuner_options import TunerArguments, as_whole

FOLDS = 5
"""The default number of folds of the final round."""


class Recommended(Tuner):
    """ASHA with a Gaussian process, and a final round of cross-validation.

    Bayesian optimisation proposes configurations, and asynchronous successive halving stops
    the worse ones early. Then the best ones and the default configuration are trained on five
    folds, within the same budget: ``tuner.results.final.model`` averages the winner's fold
    models, which generalises better than any single checkpoint. Data that cannot be split by rows
    (generators, `tf.data`) are searched without a final round; ``tuner.results.ensemble(10)``
    averages the best trials then.

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
        InvalidInput: e.g. for zero epochs.
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
