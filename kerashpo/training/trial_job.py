"""`TrialJob`: a work item while it is trained, and what its outcome is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from kerashpo.executors.base import Emit
from kerashpo.executors.messages import WorkItem
from kerashpo.training.trial_state import TrialState


@final
@dataclass(slots=True)
class TrialJob:
    """A work item while it is trained.

    Attributes:
        item: the work item.
        emit: passes a message to the loop.
        runs: the runs that are still to be trained.
        run: the run that is trained.
        state: its state, None before the first run.
        stage: ``"build"`` or ``"fit"``, where an exception is raised.
        outcomes: the states of the runs that were trained to the end of the item.
        over: whether nothing is left to do: it failed, was ended by a decision, or is reported.
    """

    item: WorkItem
    emit: Emit
    runs: list[int]
    run: int = 0
    state: TrialState | None = None
    stage: str = "build"
    outcomes: list[TrialState] = field(default_factory=list)
    over: bool = False

    @property
    def trial(self) -> int:
        """The trial's number."""
        return self.item.trial

    @property
    def live(self) -> TrialState:
        """The state of the run that is trained."""
        assert self.state is not None
        return self.state

    @property
    def trained(self) -> bool:
        """Whether the run has no epoch left in this item."""
        return self.live.epoch >= self.item.until or self.live.stopped
