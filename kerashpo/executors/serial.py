"""The serial executor: trains in this process, inside `poll`."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import final

from kerashpo.core.errors import require_integer
from kerashpo.core.records import Decision
from kerashpo.executors.base import Executor, Runner, origins_of
from kerashpo.executors.messages import Message, Saving, WorkItem
from kerashpo.store.base import Blobs
from kerashpo.store.trial_checkpoints import Origin, secure_origins


class _LoopFailed(BaseException):
    """Passes an exception of the loop through the code that trains, without failing the trial.

    Args:
        error: the loop's exception.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


@final
class SerialExecutor(Executor):
    """Trains in this process; decisions take effect before the next epoch.

    Args:
        runner: trains the items.
        capacity: how many items may be submitted together. Those with the same trace signature
            are given to the runner together, the others one by one.
        blobs: the runner's checkpoints, for forks; None if it keeps none there.

    Raises:
        InvalidInput: if `capacity` is not a whole number of at least 1.
    """

    def __init__(self, runner: Runner, capacity: int = 1, blobs: Blobs | None = None) -> None:
        self._runner, self._blobs = runner, blobs
        self._capacity = require_integer("capacity", capacity, 1)
        self._queue: deque[WorkItem] = deque()
        self._decisions: dict[int, Decision] = {}

    def submit(self, tasks: Sequence[WorkItem]) -> None:
        self.secure(origins_of(tasks))
        self._queue.extend(tasks)

    def secure(self, origins: Mapping[int, Origin]) -> None:
        secure_origins(self._blobs, origins)

    def free(self) -> int:
        return self._capacity - len(self._queue)

    def poll(self, handle: Callable[[Message], None], timeout: float | None = None) -> None:
        if not self._queue:
            return
        group = self._next_group()
        self._decisions = {item.trial: Decision.CONTINUE for item in group}

        def emit(message: Message | Saving) -> Decision:
            # A stopped trial reports no more; before a checkpoint the log is up to date.
            trial = message.trial
            stopped = self._decisions[trial] is Decision.STOP
            if not (stopped or isinstance(message, Saving)):
                try:
                    handle(message)
                except Exception as error:
                    raise _LoopFailed(error) from error
            return self._decisions[trial]

        try:
            self._runner.run(group, emit)
        except _LoopFailed as failed:
            raise failed.error from None
        finally:
            decisions, self._decisions = self._decisions, {}
        # Decided while they ran; what the runner still held for them can be freed now.
        for trial, decision in decisions.items():
            if decision is Decision.STOP:
                self._runner.free(trial)

    def decide(self, trial: int, decision: Decision) -> None:
        if trial in self._decisions:
            self._decisions[trial] = decision
            return
        if decision is not Decision.CONTINUE:
            self._queue = deque(item for item in self._queue if item.trial != trial)
        if decision is Decision.STOP:
            self._runner.free(trial)

    def now(self) -> float:
        return time.perf_counter()

    def close(self) -> None:
        self._runner.close()

    def _next_group(self) -> list[WorkItem]:
        """Takes the first item from the queue, and those that can be trained with it."""
        first = self._queue.popleft()
        signature = self._runner.trace_signature(first)
        if signature is None:
            return [first]
        same = [item for item in self._queue if self._runner.trace_signature(item) == signature]
        self._queue = deque(item for item in self._queue if item not in same)
        return [first, *same]
