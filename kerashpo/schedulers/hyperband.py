"""Hyperband (Li et al., 2018)."""

from __future__ import annotations

from typing import final

from kerashpo.core.errors import require_integer
from kerashpo.schedulers.brackets import hyperband_brackets
from kerashpo.schedulers.successive_halving import Brackets, check_epochs


@final
class Hyperband(Brackets):
    """Hyperband: successive halving in several brackets, from many short trials to few long ones.

    Args:
        max_epochs: R, the most epochs that one trial is trained.
        factor: eta.
        iterations: how often the whole set of brackets is run; None for as long as the
            study's bounds and the space allow.
        min_epochs: the fewest epochs of a first rung.
        limit: an upper bound of configurations; the last brackets shrink.
        budget: an upper bound of epochs, for the plan.

    Raises:
        InvalidInput: for a factor below 2, or an argument below 1.
    """

    def __init__(
        self,
        max_epochs: int,
        factor: int = 3,
        iterations: int | None = 1,
        min_epochs: int = 1,
        limit: float = float("inf"),
        budget: float = float("inf"),
    ) -> None:
        check_epochs(max_epochs, factor, min_epochs)
        brackets = hyperband_brackets(max_epochs, factor, min_epochs)
        if iterations is not None:
            brackets *= require_integer("hyperband_iterations", iterations, 1)
        super().__init__(brackets, limit, budget, endless=iterations is None)
