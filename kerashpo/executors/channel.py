"""A worker's end of the pipe to the loop's process."""

from __future__ import annotations

import os
import pickle
import threading
import time
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import final

from kerashpo.core.records import Decision
from kerashpo.executors.messages import Epoch, Message, Saving, Task
from kerashpo.executors.wire import Answer, Heard, Order, Said

_LOOK = 2.0
"""Seconds between looks at whether the loop's process still lives."""


@final
class Channel:
    """Says what happens in the trial that is being trained, and hears what is decided.

    A thread listens, so that decisions count at the next epoch, and so that the worker
    ends when the loop's process does, whatever it is doing.

    Args:
        connection: the pipe.
        waits: whether each epoch waits for its answer.
        ahead: how many seconds of epochs may be trained that are not in the log yet.
        orphaned: called when the loop's process has gone; must not return.
    """

    def __init__(
        self, connection: Connection, waits: bool, ahead: float, orphaned: Callable[[], None]
    ) -> None:
        self._connection, self._orphaned = connection, orphaned
        self._ahead = 0.0 if waits else ahead
        self._changed = threading.Condition()
        self._orders: deque[Order] = deque()
        self._unheard: deque[float] = deque()
        self._trial: int | None = None
        self._decision = Decision.CONTINUE

    def listen(self) -> None:
        """Starts to listen."""
        threading.Thread(target=self._listen, name="kerashpo orders", daemon=True).start()

    def next(self) -> Order:
        """Waits for the next order; decisions about the running trial are none."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._orders))
            return self._orders.popleft()

    def say(self, said: Said) -> None:
        """Sends something; blocks while the loop's process is far behind."""
        with self._changed:
            self._unheard.append(time.perf_counter())
        self._connection.send_bytes(pickle.dumps(said))

    def emit(self, message: Message | Saving) -> Decision:
        """Hands a message on, see `kerashpo.executors.base.Emit`."""
        if isinstance(message, Saving):
            self._let_catch_up(0.0)
        else:
            self.say(message)
        if isinstance(message, Epoch):
            self._let_catch_up(self._ahead)
        return self._decision

    def end(self) -> Decision:
        """Ends the running trial; returns what was decided about it."""
        with self._changed:
            self._trial = None
            return self._decision

    def _let_catch_up(self, ahead: float) -> None:
        """Waits until nothing that was said longer ago than `ahead` seconds is unheard."""

        def caught_up() -> bool:
            return not self._unheard or time.perf_counter() - self._unheard[0] < ahead

        with self._changed:
            self._changed.wait_for(caught_up)

    def _listen(self) -> None:
        parent = os.getppid()
        try:
            while True:
                # A pipe stays open while anyone holds it, e.g. a process that the user forked.
                while not self._connection.poll(_LOOK):
                    if os.getppid() != parent:
                        raise EOFError
                order: Order = pickle.loads(self._connection.recv_bytes())
                with self._changed:
                    self._take(order)
                    self._changed.notify_all()
        except (EOFError, OSError):
            self._orphaned()

    def _take(self, order: Order) -> None:
        match order:
            case Heard(count):
                for _ in range(count):
                    self._unheard.popleft()
            case Answer(trial, decision) if trial == self._trial:
                self._decision = decision
            case Task():
                self._trial, self._decision = order.trial, Decision.CONTINUE
                self._orders.append(order)
            case _:
                self._orders.append(order)
