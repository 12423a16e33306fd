"""What the tuners share that plan their epochs themselves: Hyperband and ASHA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.registry import make_scheduler
from kerashpo.tuners.base import Tuner
from kerashpo.tuners.options import TunerOptions


class BandedTuner(Tuner):
    """Trains trials in rungs. The epochs come from the constructor, not from `search`.

    Args:
        hypermodel: see `Tuner`.
        options: see `Tuner`.
        scheduler: a name of `kerashpo.schedulers.registry`.
        shape: the scheduler's arguments, max_epochs among them.
        algorithm: where to look next, a name of `kerashpo.algorithms.registry`.
        algorithm_options: further arguments of the algorithm.

    Raises:
        InvalidInput: for a scheduler's argument out of range.
    """

    _plans_epochs = True

    def __init__(
        self,
        hypermodel: Any,
        options: TunerOptions,
        scheduler: str,
        shape: Mapping[str, Any],
        algorithm: str,
        algorithm_options: Mapping[str, Any] | None,
    ) -> None:
        self._kind, self._shape = scheduler, dict(shape)
        self._check_shape()
        super().__init__(hypermodel, options, algorithm, algorithm_options)

    def _check_shape(self) -> None:
        """Builds a scheduler for its checks alone, before any model is built."""
        rest = dict(self._shape)
        make_scheduler(self._kind, rest.pop("max_epochs"), rest)

    def _scheduler(self, epochs: int | None) -> Scheduler:
        rest = dict(self._shape)
        budget = self._options.max_epochs_total
        return make_scheduler(
            self._kind,
            rest.pop("max_epochs"),
            rest,
            limit=self._limit,
            budget=float("inf") if budget is None else budget,
        )

    def _settings(self, epochs: int | None) -> dict[str, Any]:
        return {**super()._settings(epochs), "scheduler": self._kind, **self._shape}

    def _title(self) -> str:
        return f"{type(self).__name__}(factor {self._shape['factor']}) + {self.algorithm}"

    def _notes(self, epochs: int | None) -> tuple[str, ...]:
        mine = self._shape["max_epochs"]
        if epochs in (None, mine):
            return ()
        name = type(self).__name__
        return (
            f"{name} plans the epochs itself: max_epochs={mine} counts, "
            f"search(epochs={epochs}) does not",
        )
