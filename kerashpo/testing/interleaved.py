"""Several workers in one process, whose reports arrive in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import final

import numpy as np

from kerashpo.core.records import Decision, Start
from kerashpo.executors.base import Executor
from kerashpo.executors.messages import Epoch, Message, Task
from kerashpo.testing.curves import Curve, messages


@final
class InterleavedExecutor(Executor):
    """Advances one of the running trials, drawn at random, by one message a poll.

    The clock is virtual: a message takes a second.

    Args:
        curve: what is trained.
        workers: how many tasks run at once.
        order: draws who speaks next.
    """

    def __init__(self, curve: Curve, workers: int, order: np.random.Generator) -> None:
        self._curve, self._workers, self._order = curve, workers, order
        self._speakers: dict[int, Iterator[Message]] = {}
        self._done: dict[int, int] = {}
        self._clock = 0.0

    def submit(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            done = 0 if isinstance(task.job, Start) else self._done.get(task.trial, 0)
            self._speakers[task.trial] = messages(self._curve, task, done)

    def free(self) -> int:
        return self._workers - len(self._speakers)

    def poll(self, handle: Callable[[Message], None], timeout: float | None = None) -> None:
        if not self._speakers:
            return
        trial = list(self._speakers)[int(self._order.integers(len(self._speakers)))]
        message = next(self._speakers[trial])
        self._clock += 1.0
        if isinstance(message, Epoch):
            self._done[trial] = message.report.epoch
        else:
            del self._speakers[trial]
        handle(message)

    def decide(self, trial: int, decision: Decision) -> None:
        if decision is not Decision.CONTINUE:
            self._speakers.pop(trial, None)
        if decision is Decision.STOP:
            self._done.pop(trial, None)

    def now(self) -> float:
        return self._clock

    def close(self) -> None:
        self._speakers.clear()
