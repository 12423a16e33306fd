"""This process, one job at a time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import final

from kerashpo.core.records import Decision
from kerashpo.executors.base import Executor, Runner
from kerashpo.executors.messages import Message, Saving, WorkItem


class _LoopFailed(BaseException):
    """Carries an error of the loop's past the code that trains: no trial has failed.

    Args:
        error: what the loop raised.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


@final
class SerialExecutor(Executor):
    """Runs each task inside `poll`; decisions count at once.

    Args:
        runner: what trains.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._queue: deque[WorkItem] = deque()
        self._current: int | None = None
        self._decision = Decision.CONTINUE

    def submit(self, tasks: Sequence[WorkItem]) -> None:
        self._queue.extend(tasks)

    def free(self) -> int:
        return 0 if self._queue else 1

    def poll(self, handle: Callable[[Message], None], timeout: float | None = None) -> None:
        if not self._queue:
            return
        task = self._queue.popleft()
        self._current, self._decision = task.trial, Decision.CONTINUE

        def emit(message: Message | Saving) -> Decision:
            if not isinstance(message, Saving):  # the log is up to date already
                _hand_on(handle, message)
            return self._decision

        try:
            self._runner.run(task, emit)
        except _LoopFailed as failed:
            raise failed.error from None
        finally:
            self._current = None
        # Told while it ran; what the runner still held for it can go now.
        if self._decision is Decision.STOP:
            self._runner.free(task.trial)

    def decide(self, trial: int, decision: Decision) -> None:
        if trial == self._current:
            self._decision = decision
        elif decision is Decision.STOP:
            self._runner.free(trial)

    def now(self) -> float:
        return time.perf_counter()

    def close(self) -> None:
        self._runner.close()


def _hand_on(handle: Callable[[Message], None], message: Message) -> None:
    try:
        handle(message)
    except Exception as error:
        raise _LoopFailed(error) from error
