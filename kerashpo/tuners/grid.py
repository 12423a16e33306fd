"""The tuner for grid search."""

from __future__ import annotations

from typing import Any, Unpack

from kerashpo.tuners.base import Tuner
from kerashpo.tuners.strategy import Strategy
from kerashpo.tuners.tuner_options import TunerArguments


class GridSearch(Tuner):
    """Grid search: every configuration of a finite space, in order, each trained to the end.

    Args:
        hypermodel: see `Tuner`.
        objective: see `Tuner`.
        max_trials: how many configurations to try; None for all.
        seed: see `Tuner`.
        **options: see `Tuner`.
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int | None = None,
        seed: int | None = None,
        **options: Unpack[TunerArguments],
    ) -> None:
        super().__init__(
            Strategy("grid"),
            hypermodel,
            objective=objective,
            max_trials=max_trials,
            seed=seed,
            **options,
        )
