"""The state of a study: its log folded once, into the history and into the scheduler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

from kerashpo.core.events import (
    Ended,
    Event,
    Extended,
    JobStarted,
    Noted,
    Reached,
    SessionEnded,
    SessionStarted,
)
from kerashpo.core.history import History
from kerashpo.core.records import Decision
from kerashpo.core.trial import Trial
from kerashpo.schedulers.base import Scheduler


@final
class StudyState:
    """A study's history and scheduler at the end of its log, and the work that remains.

    Args:
        scheduler: a new one.
        events: the events of the log.

    Attributes:
        history: the fold of the events; the loop continues with it.
        scheduler: has replayed every event in order, from the last restart of an extended study.
        interrupted: whether the last session did not record its end: its process was killed.
    """

    def __init__(self, scheduler: Scheduler, events: Sequence[Event]) -> None:
        self.history = History()
        self.scheduler = scheduler
        self.interrupted = False
        self._pending: dict[int, Decision] = {}
        self._unfinished: set[int] = set()
        restart = _last_restart(events)
        for index, event in enumerate(events):
            self.history.apply(event)
            self._track(event)
            if index >= restart:
                self._pending.update(scheduler.on_event(event, self.history))

    @property
    def pending_decisions(self) -> Mapping[int, Decision]:
        """Decisions of the scheduler, by trial, that are not in the log yet."""
        return dict(self._pending)

    @property
    def unfinished(self) -> list[int]:
        """The trials whose last job has no recorded end.

        This includes one with all its epochs: the scheduler waits for the event of its end.
        """
        records = [self.history.trials[trial] for trial in sorted(self._unfinished)]
        return [record.number for record in records if record.fold_runs or may_continue(record)]

    def _track(self, event: Event) -> None:
        match event:
            case JobStarted():
                self._unfinished.add(event.trial)
                self._pending.pop(event.trial, None)
            case Reached(trial) if self.history.trials[trial].complete:
                self._unfinished.discard(trial)
            case Ended(trial):
                self._pending.pop(trial, None)
        if not isinstance(event, (SessionStarted, Noted)):
            self.interrupted = not isinstance(event, SessionEnded)


def may_continue(trial: Trial) -> bool:
    """Whether a trial may be trained further: it has not ended, or only by the budget."""
    return trial.stopped_by_budget or not trial.status.ended


def _last_restart(events: Sequence[Event]) -> int:
    """Returns the index of the scheduler's first event: after the last extension with new rungs."""
    for index in range(len(events) - 1, -1, -1):
        event = events[index]
        if isinstance(event, Extended) and event.restarts:
            return index
    return 0
