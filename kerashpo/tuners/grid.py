"""The grid search tuner."""

from __future__ import annotations

from typing import Any

from kerashpo.tuners.full import FullTuner
from kerashpo.tuners.options import read_options


class GridSearch(FullTuner):
    """Every configuration of a finite space, in order, each trained to the end.

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
        **options: Any,
    ) -> None:
        given = {"objective": objective, "max_trials": max_trials, "seed": seed, **options}
        super().__init__(hypermodel, read_options(type(self), given, ()), "grid")
