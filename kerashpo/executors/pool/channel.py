"""The worker's end of a connection: sends messages, and receives tasks and decisions."""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from typing import final

from kerashpo.core.errors import DiskFull, KerashpoError
from kerashpo.core.events import Reported
from kerashpo.core.records import Decision
from kerashpo.executors.base import Runner
from kerashpo.executors.failures import ends_search
from kerashpo.executors.messages import Message, Saving, WorkItem
from kerashpo.executors.pool.protocol import (
    Acknowledged,
    Answer,
    Broken,
    Drop,
    FromWorker,
    Idle,
    Order,
    Quit,
    Ready,
)


@final
class Channel:
    """Connects a worker's runner to the pool, over any transport.

    The transport calls `take` in a thread of its own, so that a decision takes effect at the
    next epoch; `serve` uses the other methods.

    Args:
        send: sends a message to the pool; may block while the pool is far behind.
        ahead: how many seconds of epochs may be trained before they are in the log; 0 waits
            for the decision after every epoch.
    """

    def __init__(self, send: Callable[[FromWorker], None], ahead: float) -> None:
        self._send, self._ahead = send, ahead
        self._changed = threading.Condition()
        self._orders: deque[Order] = deque()
        self._unacknowledged: deque[float] = deque()
        self._trial: int | None = None
        self._decision = Decision.CONTINUE

    def take(self, order: Order) -> None:
        """Receives an order from the pool; called by the transport."""
        with self._changed:
            match order:
                case Acknowledged(count):
                    for _ in range(count):
                        self._unacknowledged.popleft()
                case Answer(trial, decision) if trial == self._trial:
                    self._decision = decision
                case WorkItem():
                    self._trial, self._decision = order.trial, Decision.CONTINUE
                    self._orders.append(order)
                case _:
                    self._orders.append(order)
            self._changed.notify_all()

    def next(self) -> Order:
        """Waits for the next order; decisions about the running trial are not among them."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._orders))
            return self._orders.popleft()

    def report(self, message: FromWorker) -> None:
        """Sends a message to the pool."""
        with self._changed:
            self._unacknowledged.append(time.perf_counter())
        self._send(message)

    def emit(self, message: Message | Saving) -> Decision:
        """Sends a trial's message, see `kerashpo.executors.base.Emit`."""
        if isinstance(message, Saving):
            self._wait_for_log(0.0)
        else:
            self.report(message)
        if isinstance(message, Reported):
            self._wait_for_log(self._ahead)
        return self._decision

    def end(self) -> Decision:
        """Ends the running trial; returns the decision on it."""
        with self._changed:
            self._trial = None
            return self._decision

    def _wait_for_log(self, ahead: float) -> None:
        """Waits until every message older than `ahead` seconds is acknowledged."""

        def caught_up() -> bool:
            waiting = self._unacknowledged
            return not waiting or time.perf_counter() - waiting[0] < ahead

        with self._changed:
            self._changed.wait_for(caught_up)


def serve(make: Callable[[], Runner], channel: Channel) -> bool:
    """Builds the runner and executes orders until `Quit`: the main loop of a worker.

    Args:
        make: builds the runner.
        channel: the connection to the pool.

    Returns:
        whether it ended by `Quit`; otherwise `Broken` was sent and the worker must end.
    """
    try:
        runner = make()
        channel.report(Ready())
        _work(runner, channel)
    except BaseException as error:  # even SystemExit: the pool must learn the reason
        message = str(error) if isinstance(error, KerashpoError) else ""
        if not message and ends_search(error):
            message = f"{type(error).__name__}: {error}"
        channel.report(Broken(message, traceback.format_exc(), isinstance(error, DiskFull)))
        return False
    return True


def _work(runner: Runner, channel: Channel) -> None:
    while True:
        match channel.next():
            case WorkItem() as item:
                runner.run([item], channel.emit)
                if channel.end() is Decision.STOP:
                    runner.free(item.trial)
                channel.report(Idle(item.trial))
            case Answer(trial, Decision.STOP):
                runner.free(trial)
            case Drop(trial):
                runner.drop(trial)
            case Quit():
                runner.close()
                return
