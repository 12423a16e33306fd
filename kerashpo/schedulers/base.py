"""The seam: what a scheduler is asked and told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, TypeAlias

from kerashpo.algorithms.base import Algorithm
from kerashpo.core.events import Event
from kerashpo.core.history import History
from kerashpo.core.records import Decision, Done, Job, Plan, Wait

Decisions: TypeAlias = Sequence[tuple[int, Decision]]


class Scheduler(ABC):
    """Decides how far each trial is trained.

    Attributes:
        max_epochs: the most epochs that one trial is trained; a trial stopped there
            is COMPLETED, one stopped earlier STOPPED.
        every_epoch: whether workers must wait for the answer to each report.
    """

    max_epochs: int
    every_epoch: ClassVar[bool] = False

    @abstractmethod
    def next_job(self, algorithm: Algorithm, history: History) -> Job | Wait | Done:
        """Returns what a free worker should do. Changes no state that a replay needs.

        A new trial has the number `history.next_trial` and the configuration that
        `algorithm` proposes for it. `Job.until` is the epoch to train through.
        """

    @abstractmethod
    def on_event(self, event: Event, history: History) -> Decisions:
        """Hears an event that `history` holds already; returns decisions about any trials.

        STOP for a trial that waits frees its checkpoint. On replay the decisions have
        been carried out already (or are carried out at its end).
        """

    @abstractmethod
    def plan(self) -> Plan:
        """Returns brackets, trials and epochs, known before the start."""
