"""Measures untrained models, and checks them against the limits of a search."""

from __future__ import annotations

from kerashpo.core.events import Measured
from kerashpo.core.limits import LimitExceeded
from kerashpo.executors.base import Emit
from kerashpo.store.base import Blobs
from kerashpo.store.measuring import measuring
from kerashpo.training.settings import Settings
from kerashpo.training.trial_state import TrialState


def measure_untrained(
    state: TrialState, place: tuple[int, int], settings: Settings, blobs: Blobs, emit: Emit
) -> None:
    """Measures the untrained model, once in a trial's life, and reports what was found.

    Args:
        state: the trial's state.
        place: trial number and run.
        settings: the settings of the search.
        blobs: checkpoint storage, where measurements exclude one another.
        emit: passes a message to the loop.

    Raises:
        LimitExceeded: if it exceeds a limit.
    """
    if state.untrained:
        return
    state.untrained = settings.derived.untrained(state.model, measuring(blobs))
    if not state.untrained:
        return
    trial, run = place
    emit(Measured(trial, run, 0, state.untrained))
    for limit in settings.limits:
        value = state.untrained.get(limit.name)
        scored = run < settings.runs  # the folds of a final round are not
        if scored and value is not None and not limit.excess(value) <= 0.0:
            raise LimitExceeded(
                f"{limit.name} is {value:,.7g}, but {limit.allowed} is allowed ({limit.argument})."
            )
