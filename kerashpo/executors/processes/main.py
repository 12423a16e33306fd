"""The main function of a worker's process."""

from __future__ import annotations

import faulthandler
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import NoReturn, final

from kerashpo.core.errors import DiskFull, KerashpoError
from kerashpo.core.records import Decision
from kerashpo.executors.base import Runner
from kerashpo.executors.failures import ends_search
from kerashpo.executors.messages import Epoch, Message, Saving, WorkItem
from kerashpo.executors.processes.pickling import discard, unpack
from kerashpo.executors.processes.protocol import (
    Answer,
    Broken,
    Drop,
    Heard,
    Hello,
    Idle,
    Order,
    Quit,
    Ready,
    Said,
)

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
            case WorkItem():
                self._trial, self._decision = order.trial, Decision.CONTINUE
                self._orders.append(order)
            case _:
                self._orders.append(order)


BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from kerashpo.executors.processes.main import main; main(int(sys.argv[1]))"
)
"""What a worker's interpreter runs, with the pipe and the module path as arguments.

The user's script is not imported, so it needs no ``if __name__ == "__main__"``.
"""


def main(handle: int) -> NoReturn:
    """Works until it is told to quit, or until the loop's process is gone.

    Args:
        handle: the inherited end of the pipe.
    """
    _leave_signals_to_the_loop()
    faulthandler.enable()
    connection = _connect(handle)
    hello: Hello = pickle.loads(connection.recv_bytes())
    if hello.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, hello.cores)

    def orphaned() -> None:
        discard(hello.recipe)
        _leave(1)

    channel = Channel(connection, hello.waits, hello.ahead, orphaned)
    channel.listen()
    try:
        runner: Runner = unpack(hello.recipe)()
        channel.say(Ready())
        _work(runner, channel)
    except BaseException as error:  # even SystemExit: the loop must hear why
        told = str(error) if isinstance(error, KerashpoError) else ""
        if not told and ends_search(error):
            told = f"{type(error).__name__}: {error}"
        channel.say(Broken(told, traceback.format_exc(), isinstance(error, DiskFull)))
        _leave(1)
    _leave(0)


def _leave_signals_to_the_loop() -> None:
    """Ctrl-C reaches a whole terminal, a batch system's SIGTERM every process of a job."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Not ignored but unheeded, and not so by children: pools end theirs by SIGTERM.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))


def _work(runner: Runner, channel: Channel) -> None:
    while True:
        match channel.next():
            case WorkItem() as task:
                runner.run(task, channel.emit)
                if channel.end() is Decision.STOP:
                    runner.free(task.trial)
                channel.say(Idle(task.trial))
            case Answer(trial, Decision.STOP):
                runner.free(trial)
            case Drop(trial):
                runner.drop(trial)
            case Quit():
                runner.close()
                return


def _connect(handle: int) -> Connection:
    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection

        return PipeConnection(handle)
    return Connection(handle)


def _leave(code: int) -> NoReturn:
    """Ends the process now: numeric libraries may take seconds to take themselves apart."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
