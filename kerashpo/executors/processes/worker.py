"""The loop's end of one worker process."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, final

import psutil

from kerashpo.core.records import Decision
from kerashpo.executors.messages import WorkItem
from kerashpo.executors.processes.main import BOOT
from kerashpo.executors.processes.protocol import Hello, Order, Said
from kerashpo.executors.processes.resources import Place

_TAIL = 4000
"""Bytes of a worker's output that are kept with a failure."""


@final
class Worker:
    """A process, what it works on, and what it holds in memory.

    Args:
        number: from 0.
        place: its cores, threads and GPU.
        log: the file that its output goes to.

    Attributes:
        task: what it works on, None where nothing.
        told: the last decision about that, None before one.
        over: whether it has said how that ended, and only writes down what it must.
        holds: trials that it may have in memory: a hint.
        ready: whether it has said so.
        since: when it was started, was given its task or last said something.
        verdict: why it is being ended, e.g. ``"timeout"``; empty while it is not.
    """

    def __init__(self, number: int, place: Place, log: Path) -> None:
        self.number, self.place, self.log = number, place, log
        self.task: WorkItem | None = None
        self.told: Decision | None = None
        self.over = False
        self.holds: set[int] = set()
        self.ready = False
        self.since = time.perf_counter()
        self.verdict = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        """The pipe."""
        assert self._connection is not None
        return self._connection

    @property
    def pid(self) -> int:
        """The id of its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def idle(self) -> bool:
        """Whether it said that it is ready and has nothing to do."""
        return self.ready and self.task is None

    @property
    def trial(self) -> int | None:
        """The trial that it works on."""
        return None if self.task is None else self.task.trial

    def start(self, hello: Hello, environment: Mapping[str, str]) -> None:
        """Starts a process; it says Ready when it can be given a task."""
        ours, theirs = Pipe()
        handle = theirs.fileno()
        command = [sys.executable, "-c", BOOT, str(handle), json.dumps([*map(str, sys.path)])]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment, **self.place.environment()},
                **_inheriting(handle),
            )
        theirs.close()
        self._connection = ours
        self.ready, self.task, self.told, self.verdict = False, None, None, ""
        self.holds = set()
        self.since = time.perf_counter()
        self.send(hello)

    def give(self, task: WorkItem) -> None:
        """Hands it a task."""
        self.task, self.told, self.over = task, None, False
        self.since = time.perf_counter()
        self.holds.add(task.trial)
        self.send(task)

    def send(self, order: Order | Hello) -> None:
        """Sends an order; a worker that has died is found out by `receive`."""
        with contextlib.suppress(OSError):
            self.connection.send_bytes(pickle.dumps(order))

    def receive(self) -> Said | None:
        """Returns what it said next, None where there is nothing.

        Raises:
            EOFError: if it has died and there is nothing more.
        """
        try:
            if not self.connection.poll():
                return None
            said: Said = pickle.loads(self.connection.recv_bytes())
        except OSError as error:
            raise EOFError from error
        self.since = time.perf_counter()
        return said

    def kill(self) -> None:
        """Ends the process at once."""
        if self._process is not None:
            self._process.kill()

    def wait(self, seconds: float) -> int | None:
        """Returns the exit code, None where it has not ended in that time."""
        assert self._process is not None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """Ends the process and lets go of the pipe."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def memory(self) -> int:
        """Returns the bytes of memory that it takes, 0 where it is gone."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def tail(self) -> str:
        """Returns the last lines that it printed."""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - _TAIL))
            return file.read().decode(errors="replace")


def describe_exit(code: int | None) -> str:
    """Says how a process ended, in words."""
    if code is None or code >= 0:
        return f"it ended with exit code {code}"
    name = signal.Signals(-code).name if -code in {*signal.Signals} else f"signal {-code}"
    memory = ", as a system out of memory does" if name == "SIGKILL" else ""
    return f"it was ended by {name}{memory}"


def _inheriting(handle: int) -> dict[str, Any]:
    """Returns the arguments of `Popen` that let the process have its end of the pipe."""
    if sys.platform == "win32":
        os.set_handle_inheritable(handle, True)
        startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})
        flags = subprocess.CREATE_NEW_PROCESS_GROUP
        return {"startupinfo": startup, "creationflags": flags, "close_fds": True}
    # A session of its own: the terminal's Ctrl-C is for the loop's process alone.
    return {"pass_fds": (handle,), "start_new_session": True}
