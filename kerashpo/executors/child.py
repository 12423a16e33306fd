"""The main function of a worker's process."""

from __future__ import annotations

import faulthandler
import os
import pickle
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from typing import NoReturn

from kerashpo.core.errors import DiskFull, KerashpoError
from kerashpo.core.records import Decision
from kerashpo.executors.base import Runner
from kerashpo.executors.channel import Channel
from kerashpo.executors.failures import ends_search
from kerashpo.executors.messages import Task
from kerashpo.executors.recipe import discard, unpack
from kerashpo.executors.wire import Answer, Broken, Drop, Hello, Idle, Quit, Ready

BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from kerashpo.executors.child import main; main(int(sys.argv[1]))"
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
            case Task() as task:
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
