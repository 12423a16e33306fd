"""Cache of paused trials in memory; the least recently used ones are evicted.

An evicted trial is restored from its checkpoint. The models of ended trials are kept where copies
of other trials may use them, see `live_values`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, final

from kerashpo.executors.messages import WorkItem
from kerashpo.training.trial_state import TrialState

#: The most models of ended trials that are kept.
_MODELS = 8


@final
class TrialMemory:
    """Cache of trial states, by trial and run.

    Args:
        limit: the most bytes of paused trials, and of models of ended ones.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._states: OrderedDict[tuple[int, int], TrialState] = OrderedDict()
        #: The last work item of each run, even if its state was evicted.
        self._items: dict[tuple[int, int], WorkItem] = {}
        self._ended: list[TrialState] = []

    def put(self, trial: int, run: int, state: TrialState, item: WorkItem) -> None:
        """Stores a run's state as the most recently used one."""
        self._states[trial, run], self._items[trial, run] = state, item

    def take(self, trial: int, run: int, fingerprint: Any) -> TrialState | None:
        """Removes and returns a run's state if it is in memory and still valid, else None.

        It is invalid if `build_model` has since changed a global or an attribute that its code
        reads: building the model again restores that value.

        Args:
            trial: the trial's number.
            run: the run.
            fingerprint: a fingerprint of the values that `build_model` can read now.
        """
        state = self._states.pop((trial, run), None)
        return state if state is not None and state.built_with == fingerprint else None

    def release(self, trial: int, run: int) -> tuple[TrialState | None, WorkItem | None]:
        """Removes a run; returns its state if that is in memory, and its last work item."""
        return self._states.pop((trial, run), None), self._items.pop((trial, run), None)

    def runs_of(self, trial: int) -> list[int]:
        """Returns the runs of a trial that were trained in this process."""
        return [run for number, run in self._items if number == trial]

    def keep_model(self, state: TrialState) -> None:
        """Keeps the model of an ended trial until `take_model`, as long as there is memory."""
        state.best_weights = None
        self._ended.append(state)
        del self._ended[:-_MODELS]

    def take_model(self, fits: Callable[[TrialState], bool]) -> TrialState | None:
        """Removes and returns the state of the last ended trial that fits, None if none does."""
        for state in reversed(self._ended):
            if fits(state):
                self._ended.remove(state)
                return state
        return None

    @property
    def has_models(self) -> bool:
        """Whether models of ended trials are kept."""
        return bool(self._ended)

    def evict(self) -> None:
        """Evicts models of ended trials, then the least recently used states, above the limit.

        At least one state is kept.
        """
        total = sum(state.nbytes for state in (*self._states.values(), *self._ended))
        while total > self._limit and self._ended:
            total -= self._ended.pop(0).nbytes
        while total > self._limit and len(self._states) > 1:
            _, oldest = self._states.popitem(last=False)
            total -= oldest.nbytes

    def state(self, trial: int, run: int) -> TrialState:
        """Returns a run's state without removing it."""
        return self._states[trial, run]
