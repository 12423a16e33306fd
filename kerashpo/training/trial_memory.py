"""Paused trials that stay in memory; the least recently used ones are left to their checkpoints."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, final

from kerashpo.executors.messages import WorkItem
from kerashpo.training.trial_state import TrialState


@final
class TrialMemory:
    """The states of trials, by trial and run.

    Args:
        limit: bytes of paused trials to keep.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._states: OrderedDict[tuple[int, int], TrialState] = OrderedDict()
        #: What each run was last trained for, in memory or not.
        self._items: dict[tuple[int, int], WorkItem] = {}

    def put(self, trial: int, run: int, state: TrialState, item: WorkItem) -> None:
        """Keeps a run's state, as the most recently used one."""
        self._states[trial, run], self._items[trial, run] = state, item

    def take(self, trial: int, run: int, readable: Any) -> TrialState | None:
        """Removes and returns a run's state if it is in memory and can go on as it is.

        Where `build_model` has changed what its code reads (a global, an attribute) for another
        trial since, the model must be built again, which sets it back.

        Args:
            trial: its number.
            run: which run.
            readable: a fingerprint of what the code of `build_model` can read now.
        """
        state = self._states.pop((trial, run), None)
        return state if state is not None and state.built_with == readable else None

    def release(self, trial: int, run: int) -> tuple[TrialState | None, WorkItem | None]:
        """Forgets a run; returns its state if that is in memory, and its last work item."""
        return self._states.pop((trial, run), None), self._items.pop((trial, run), None)

    def runs_of(self, trial: int) -> list[int]:
        """Returns the runs of a trial that were trained in this process."""
        return [run for number, run in self._items if number == trial]

    def evict(self) -> None:
        """Drops the states that were not used for longest, but for one; checkpoints stay."""
        total = sum(state.nbytes for state in self._states.values())
        while total > self._limit and len(self._states) > 1:
            _, oldest = self._states.popitem(last=False)
            total -= oldest.nbytes

    def state(self, trial: int, run: int) -> TrialState:
        """Returns a run's state, which stays in memory."""
        return self._states[trial, run]
