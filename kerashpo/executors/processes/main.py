"""The main function of a worker process: connects a channel to the inherited pipe and serves."""

from __future__ import annotations

import faulthandler
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import NoReturn

from kerashpo.executors.pool.channel import Channel, serve
from kerashpo.executors.pool.protocol import FromWorker
from kerashpo.executors.processes.pickling import Packed, discard, unpack

_PARENT_CHECK = 2.0
"""Seconds between checks whether the loop's process is still running."""

BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from kerashpo.executors.processes.main import main; main(int(sys.argv[1]))"
)
"""The code that a worker's interpreter runs, with the pipe and the module path as arguments.

The user's script is not imported, so it needs no ``if __name__ == "__main__"``.
"""


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message that a worker process receives.

    Attributes:
        runner: the factory of the runner.
        cores: the CPU cores to run on, empty for any.
        ahead: passed to its `Channel`.
    """

    runner: Packed
    cores: tuple[int, ...]
    ahead: float


def main(handle: int) -> NoReturn:
    """Serves orders until `Quit`, or until the loop's process has ended.

    Args:
        handle: the inherited end of the pipe.
    """
    _leave_signals_to_the_loop()
    faulthandler.enable()
    connection = _connect(handle)
    hello: Hello = pickle.loads(connection.recv_bytes())
    if hello.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, hello.cores)

    def send(message: FromWorker) -> None:
        connection.send_bytes(pickle.dumps(message))

    def orphaned() -> None:
        discard(hello.runner)
        _exit(1)

    channel = Channel(send, hello.ahead)
    arguments = (connection, channel, orphaned)
    threading.Thread(target=_receive, args=arguments, name="kerashpo orders", daemon=True).start()
    _exit(0 if serve(lambda: unpack(hello.runner)(), channel) else 1)


def _receive(connection: Connection, channel: Channel, orphaned: Callable[[], None]) -> None:
    """Passes orders on; exits if the loop's process ends, whatever the worker is doing."""
    parent = os.getppid()
    try:
        while True:
            # A pipe stays open while any process holds it, e.g. one that the user forked.
            while not connection.poll(_PARENT_CHECK):
                if os.getppid() != parent:
                    raise EOFError
            channel.take(pickle.loads(connection.recv_bytes()))
    except (EOFError, OSError):
        orphaned()


def _leave_signals_to_the_loop() -> None:
    """Ignores Ctrl-C, which reaches a whole terminal, and a batch system's SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Handled rather than ignored, and not in children: pools end theirs by SIGTERM.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))


def _connect(handle: int) -> Connection:
    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection

        return PipeConnection(handle)
    return Connection(handle)


def _exit(code: int) -> NoReturn:
    """Ends the process immediately: numeric libraries may take seconds to shut down."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
