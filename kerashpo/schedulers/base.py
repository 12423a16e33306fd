"""The interface of schedulers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, TypeAlias, final

from kerashpo.algorithms.base import Algorithm
from kerashpo.core.events import Event
from kerashpo.core.history import History
from kerashpo.core.records import Decision, Done, Exhausted, Job, NotReady, Plan, Start, Wait

Decisions: TypeAlias = Sequence[tuple[int, Decision]]
NextJob: TypeAlias = "Job | Wait | Done | Exhausted"
"""What a scheduler returns when a worker is free."""


class Scheduler(ABC):
    """Decides how many epochs each trial is trained, and which trials continue.

    Attributes:
        max_epochs: the most epochs that one trial is trained; a trial stopped there
            is COMPLETED, one stopped earlier STOPPED.
        every_epoch: whether workers must wait for the decision after each report.
        deterministic: whether what is trained depends on configurations and scores alone,
            not on the order in which several workers report.
        several: whether it ranks trials by several objectives; if not, such a search is refused.
    """

    max_epochs: int
    every_epoch: ClassVar[bool] = False
    deterministic: ClassVar[bool] = False
    several: ClassVar[bool] = True

    @abstractmethod
    def next_job(self, algorithm: Algorithm, history: History) -> NextJob:
        """Returns the next job for a free worker. Changes no state that a replay needs.

        A new trial has the number `history.next_trial` and the configuration that
        `algorithm` proposes for it. `Job.until` is the epoch to train through. If the
        algorithm is exhausted, this returns its `Exhausted`: the loop records that as an event
        (`history.exhausted`) and asks again.
        """

    @abstractmethod
    def on_event(self, event: Event, history: History) -> Decisions:
        """Updates the state by an event already in `history`; returns decisions.

        They may concern any trial. STOP frees the checkpoint of a paused trial. On replay the
        decisions have been applied already, or are applied at the end of the replay.
        """

    @abstractmethod
    def plan(self) -> Plan:
        """Returns brackets, trials and epochs, all known before training starts."""

    @property
    def endless(self) -> bool:
        """Whether it starts trials for as long as the algorithm proposes configurations.

        An endless one needs a bound of trials, epochs or minutes on an infinite space.
        """
        return True

    def extends(self, old: Scheduler) -> bool:
        """Whether a study scheduled by `old` can continue under this scheduler on the same rungs.

        If not, an extended study starts with empty rungs, and the earlier trials only inform
        the algorithm.
        """
        return False

    @final
    def start(
        self, algorithm: Algorithm, history: History, until: int
    ) -> Start | Wait | Done | Exhausted:
        """Returns the job of a new trial; Done where none is left and none is running."""
        job = self.propose(algorithm, history, until)
        if isinstance(job, Exhausted) and history.exhausted is not None:
            return Wait() if history.running else Done(job.reason)
        return job

    @final
    def propose(
        self, algorithm: Algorithm, history: History, until: int
    ) -> Start | Wait | Exhausted:
        """Returns the job of a new trial, or the reason why there is none.

        Args:
            algorithm: proposes its configuration.
            history: the study so far.
            until: the epoch to train through.
        """
        if history.exhausted is not None:
            return Exhausted(history.exhausted)
        trial = history.next_trial
        match algorithm.ask(trial, history):
            case NotReady():
                return Wait()
            case Exhausted() as exhausted:
                return exhausted
            case config:
                return Start(trial, config, until)
