"""What the tuners share that train every trial to its end."""

from __future__ import annotations

from typing import Any

from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import Plan, Rung
from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.full import Full
from kerashpo.training.folds import EPOCHS
from kerashpo.tuners.base import Tuner


class FullTuner(Tuner):
    """Trains each trial for the epochs that `search` is given (1 as in `model.fit`)."""

    def _plan(self) -> Plan:
        """Trials and epochs; the epochs are known once `search(epochs=...)` is."""
        known = self._epochs is not None or self._tuned_epochs is not None
        if known or self._limit == float("inf"):
            return super()._plan()
        trials = int(self._limit)
        note = "each trial trains for the epochs that search(epochs=...) is given"
        return Plan(((Rung(trials, 0),),), trials, None, (note,))

    def search(self, *args: Any, **kwargs: Any) -> None:
        """Searches, see `Tuner.search`.

        Raises:
            InvalidInput: also where nothing bounds the search.
        """
        options = self._options
        bounds = (options.max_epochs_total, options.max_minutes)
        if self._limit == float("inf") and bounds == (None, None):
            raise InvalidInput(
                "The space is endless and nothing bounds the search. Pass max_trials, "
                "max_epochs_total or max_minutes."
            )
        super().search(*args, **kwargs)

    def _scheduler(self, epochs: int | None) -> Scheduler:
        if epochs is not None and self._tuned_epochs is not None:
            raise InvalidInput(
                f"epochs are tuned by fit_hp, so search(epochs={epochs}) cannot set them too: "
                "leave it out there."
            )
        return Full(self._most(epochs), self._limit)

    def _settings(self, epochs: int | None) -> dict[str, Any]:
        return {**super()._settings(epochs), "epochs": self._most(epochs)}

    def _most(self, epochs: int | None) -> int:
        """Returns the most epochs of a trial."""
        return self._tuned_epochs or epochs or 1

    @property
    def _tuned_epochs(self) -> int | None:
        """The most epochs that `fit_hp` allows, None where it does not tune them."""
        tuned = [p.domain for p in self._fit_hp.params if p.name == EPOCHS]
        return max((int(d.realise(d.at(1.0))) for d in tuned), default=None)
