"""Whether a search has anything left to train, determined without changing its log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import final

from kerashpo.core.events import Event, SessionStarted
from kerashpo.core.records import Decision
from kerashpo.executors.base import Executor
from kerashpo.executors.messages import Message, WorkItem
from kerashpo.store.base import MemoryStore
from kerashpo.study.loop import Loop
from kerashpo.study.run_study import SearchParts, algorithm_of
from kerashpo.study.state import StudyState


class _WorkLeft(BaseException):
    """Raised to leave the loop at the first job that it submits."""


@final
class _NoExecutor(Executor):
    """An executor that is always free, and takes no job."""

    def submit(self, tasks: Sequence[WorkItem]) -> None:
        raise _WorkLeft

    def free(self) -> int:
        return 1

    def poll(self, handle: Callable[[Message], None], timeout: float | None = None) -> None:
        raise _WorkLeft  # a trial is running, so there is work

    def decide(self, trial: int, decision: Decision) -> None:
        return

    def now(self) -> float:
        return 0.0

    def close(self) -> None:
        return


def nothing_left(events: Sequence[Event], parts: SearchParts) -> bool:
    """Whether a search would end without training anything; simulates it in memory.

    Args:
        events: the study's log.
        parts: the search; its scheduler cannot be used afterwards.
    """
    state = StudyState(parts.scheduler, events)
    algorithm = algorithm_of(parts, state.history)
    loop = Loop(state, MemoryStore(), algorithm, _NoExecutor(), parts.limits)
    loop.begin(SessionStarted(0.0))  # a new session has its bounds checked again
    try:
        loop.run()
    except _WorkLeft:
        return False
    return True
