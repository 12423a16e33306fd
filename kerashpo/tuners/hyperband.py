"""The Hyperband tuner."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar, final

from kerashpo.core.errors import require_integer
from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.halving import check_epochs
from kerashpo.schedulers.hyperband import Hyperband as Brackets
from kerashpo.tuners.tuner import Tuner, read_options


@final
class Hyperband(Tuner):
    """Hyperband over random configurations (Li et al., 2018); promoted trials go on exactly.

    Args:
        hypermodel: see `Tuner`.
        objective: see `Tuner`.
        max_epochs: the most epochs that one trial is trained.
        factor: of how many trials one is promoted, and how much longer it trains.
        hyperband_iterations: how often the whole set of brackets is run.
        min_epochs: the fewest epochs of a first rung.
        **options: see `Tuner`.

    Raises:
        InvalidInput: e.g. for a factor below 2 or no epochs.
    """

    algorithm: ClassVar[str] = "random"

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: int = 1,
        *,
        min_epochs: int = 1,
        **options: Any,
    ) -> None:
        check_epochs(max_epochs, factor, min_epochs)
        require_integer("hyperband_iterations", hyperband_iterations, 1)
        self._shape = (max_epochs, factor, hyperband_iterations, min_epochs)
        own = ("max_epochs", "factor", "hyperband_iterations", "min_epochs")
        super().__init__(
            hypermodel, read_options(type(self), {"objective": objective, **options}, own)
        )

    def search(self, *args: Any, **kwargs: Any) -> None:
        """See `Tuner.search`; how long trials train was said by `max_epochs`."""
        epochs = kwargs.pop("epochs", None)
        if epochs is not None and epochs != self._shape[0]:
            warnings.warn(
                f"Hyperband trains each trial for at most max_epochs={self._shape[0]} epochs; "
                f"search(epochs={epochs!r}) changes nothing. Give the tuner max_epochs instead.",
                stacklevel=2,
            )
        super().search(*args, **kwargs)

    def _scheduler(self, epochs: int | None) -> Scheduler:
        return Brackets(*self._shape, limit=self._limit)

    def _settings(self, epochs: int | None) -> dict[str, Any]:
        names = ("max_epochs", "factor", "hyperband_iterations", "min_epochs")
        return {**super()._settings(epochs), **dict(zip(names, self._shape))}
