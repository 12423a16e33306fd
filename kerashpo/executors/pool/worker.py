"""The pool's record of one worker: its task, and the trials in its memory."""

from __future__ import annotations

import time
from typing import final

from kerashpo.core.records import Decision
from kerashpo.executors.messages import WorkItem
from kerashpo.executors.pool.protocol import FromWorker, Order
from kerashpo.executors.pool.transport import Link, Loss


@final
class Worker:
    """One worker of the pool, from its start until it ends or is lost.

    Args:
        number: from 0.
        link: the connection to the worker.

    Attributes:
        task: its current task, None when it is idle or starting.
        decision: the last decision about that task's trial, None before one.
        finished: whether the task's last message arrived; it may still be saving.
        holds: trials that it may have in memory: a hint for affinity.
        ready: whether it has reported that it accepts tasks.
        since: when it was started, was given its task or last sent a message.
        verdict: why the pool is ending it; None if it is not.
    """

    def __init__(self, number: int, link: Link) -> None:
        self.number, self.link = number, link
        self.task: WorkItem | None = None
        self.decision: Decision | None = None
        self.finished = self.ready = False
        self.holds: set[int] = set()
        self.since = time.perf_counter()
        self.verdict: Loss | None = None

    @property
    def idle(self) -> bool:
        """Whether it is ready and has no task."""
        return self.ready and self.task is None

    @property
    def trial(self) -> int | None:
        """The trial that it works on."""
        return None if self.task is None else self.task.trial

    def give(self, task: WorkItem) -> None:
        """Sends it a task."""
        self.task, self.decision, self.finished = task, None, False
        self.since = time.perf_counter()
        self.holds.add(task.trial)
        self.send(task)

    def send(self, order: Order) -> None:
        """Sends it an order."""
        self.link.send(order)

    def receive(self) -> FromWorker | None:
        """Returns its next message, None if there is none; raises EOFError if it was lost."""
        message = self.link.receive()
        if message is not None:
            self.since = time.perf_counter()
        return message

    def end(self, verdict: Loss) -> None:
        """Kills it, for the reason `verdict`."""
        self.verdict = verdict
        self.link.kill()

    def loss(self) -> Loss:
        """Returns why it was lost."""
        return self.verdict or self.link.loss()
