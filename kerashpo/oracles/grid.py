"""Grid search in a space that KerasTuner's trials may still be discovering."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerashpo.core.records import Config
from kerashpo.oracles.base import MendedOracle
from kerashpo.oracles.walk import position, successor
from kerashpo.space.space import Space
from kerashpo.training.hp import to_space


class GridSearchOracle(MendedOracle):
    """Every configuration of a finite space, in order, none twice.

    A trial that ends has its turn: what follows it is tried unless a later trial has been.
    So a parameter that appears under some values only is not crossed with the others. A
    parameter without a step counts with its default and ten values.

    Args:
        objective: see `MendedOracle`.
        max_trials: trials at most; None for all.
        seed: see `MendedOracle`.
        hyperparameters: see `MendedOracle`.
        allow_new_entries: see `MendedOracle`.
        tune_new_entries: see `MendedOracle`.
        max_retries_per_trial: see `MendedOracle`.
        max_consecutive_failed_trials: see `MendedOracle`.
    """

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = None,
        seed: int | None = None,
        hyperparameters: Any = None,
        allow_new_entries: bool = True,
        tune_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int | None = 3,
    ) -> None:
        super().__init__(
            objective=objective,
            max_trials=max_trials,
            seed=seed,
            hyperparameters=hyperparameters,
            allow_new_entries=allow_new_entries,
            tune_new_entries=tune_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        self._taken = 0

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the values of the next trial, see `keras_tuner.Oracle.populate_space`."""
        space = to_space(self.hyperparameters)
        assert space is not None
        if not self.trials:
            return {"status": "RUNNING", "values": dict(space.default())}
        turns = self._turns()
        while self._taken < len(turns):
            values = self._values(turns[self._taken])
            self._taken += 1
            found = successor(space, values)
            if found is not None and self._is_new(space, values, found):
                return {"status": "RUNNING", "values": dict(found)}
        return {"status": "IDLE" if self.ongoing_trials else "STOPPED"}

    def get_state(self) -> dict[str, Any]:
        """Returns what a reload needs besides the trials."""
        return {**super().get_state(), "turns_taken": self._taken}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Takes over what `get_state` returned."""
        super().set_state(state)
        self._taken = int(state["turns_taken"])

    def _turns(self) -> list[str]:
        """Returns whose successors are to be tried: the first trial, then each as it ends.

        The first has a turn before it ends, so that a second worker need not wait.
        """
        marks = self._ordered()
        return [*(t for _, t in marks[:1]), *(t for kind, t in marks if kind == "end")]

    def _is_new(self, space: Space, values: Mapping[str, Any], found: Config) -> bool:
        """Whether a successor comes before every trial that is later than its origin."""
        here, there = position(space, values), position(space, found)
        places = (position(space, self._values(trial_id)) for trial_id in self.trials)
        return all(there < place for place in places if place > here)

    def _values(self, trial_id: str) -> Mapping[str, Any]:
        values: Mapping[str, Any] = self.trials[trial_id].hyperparameters.values
        return values
