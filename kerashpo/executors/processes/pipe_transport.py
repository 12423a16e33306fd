"""Worker processes of this machine, over pipes."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Pipe, wait
from pathlib import Path
from typing import Any, final

import psutil

from kerashpo.executors.base import Runner
from kerashpo.executors.pool.protocol import FromWorker, Order
from kerashpo.executors.pool.transport import START_LIMIT, Link, Loss, Transport
from kerashpo.executors.processes.main import BOOT, Hello
from kerashpo.executors.processes.pickling import Packed, discard, pack
from kerashpo.executors.processes.resources import Place
from kerashpo.store.disk_full import disk_full, is_full

_TAIL = 4000
"""Bytes of a worker's output that are stored with a failure."""


@final
class ProcessTransport(Transport):
    """Starts worker processes; the output of each goes to a file of its own.

    Args:
        make: builds a worker's runner, in the worker. Pickled by value if necessary.
        places: the cores, threads and GPU of each worker.
        environment: further environment variables.
        logs: the folder for the workers' output; None for one that is deleted at the end.
        parts: parts of `make` under names that a user knows, for the error.
        start_limit: see `Transport`.

    Raises:
        InvalidInput: if `make` cannot be pickled.
    """

    def __init__(
        self,
        make: Callable[[], Runner],
        places: Sequence[Place],
        environment: Mapping[str, str] | None = None,
        logs: Path | None = None,
        parts: Mapping[str, Any] | None = None,
        start_limit: float | None = START_LIMIT,
    ) -> None:
        self.workers, self.start_limit = len(places), start_limit
        self._places, self._environment = tuple(places), dict(environment or {})
        self._logs = logs
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._runner: Packed = pack(make, parts)

    def open(self) -> None:
        """Creates the folder and the files for the workers' output.

        Raises:
            DiskFull: if there is no space for them.
        """
        if self._logs is None:
            self._folder = tempfile.TemporaryDirectory(prefix="kerashpo-")
            self._logs = Path(self._folder.name)
        try:
            self._logs.mkdir(parents=True, exist_ok=True)
            for number in range(self.workers):
                self._log(number).write_bytes(b"")
        except OSError as error:
            if is_full(error):
                raise disk_full(self._logs, error) from error
            raise

    def start(self, number: int, ahead: float) -> Link:
        place = self._places[number]
        environment = {**os.environ, **self._environment, **place.environment()}
        link = ProcessLink(self._log(number), environment)
        link.send(Hello(self._runner, place.cores, ahead))
        return link

    def wait(self, links: Sequence[Link], timeout: float | None) -> Sequence[Link]:
        by_pipe = {link.connection: link for link in links if isinstance(link, ProcessLink)}
        return [by_pipe[pipe] for pipe in wait([*by_pipe], timeout)]  # type: ignore[index]

    def close(self) -> None:
        discard(self._runner)
        if self._folder is not None:
            self._folder.cleanup()

    def _log(self, number: int) -> Path:
        assert self._logs is not None
        return self._logs / f"worker-{number}.log"


@final
class ProcessLink(Link):
    """Starts a worker process, and is the pool's end of the pipe to it.

    Args:
        log: the file that its output goes to.
        environment: its environment variables.
    """

    def __init__(self, log: Path, environment: Mapping[str, str]) -> None:
        self._log = log
        self.connection, theirs = Pipe()
        handle = theirs.fileno()
        command = [sys.executable, "-c", BOOT, str(handle), json.dumps([*map(str, sys.path)])]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**environment},
                **_inheriting(handle),
            )
        theirs.close()

    @property
    def name(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, order: Order | Hello) -> None:
        with contextlib.suppress(OSError):
            self.connection.send_bytes(pickle.dumps(order))

    def receive(self) -> FromWorker | None:
        try:
            if not self.connection.poll():
                return None
            message: FromWorker = pickle.loads(self.connection.recv_bytes())
        except OSError as error:
            raise EOFError from error
        return message

    def kill(self) -> None:
        self._process.kill()

    def join(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def loss(self) -> Loss:
        return Loss(describe_exit(self._process.poll()))

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self.connection.close()

    def memory(self) -> int:
        try:
            return int(psutil.Process(self.name).memory_info().rss)
        except psutil.Error:
            return 0

    def output(self) -> str:
        with self._log.open("rb") as file:
            file.seek(max(0, self._log.stat().st_size - _TAIL))
            return file.read().decode(errors="replace")


def describe_exit(code: int | None) -> str:
    """Returns how a process ended, as a clause for messages."""
    if code is None or code >= 0:
        return f"it ended with exit code {code}"
    name = signal.Signals(-code).name if -code in {*signal.Signals} else f"signal {-code}"
    memory = ", as a system out of memory does" if name == "SIGKILL" else ""
    return f"it was ended by {name}{memory}"


def _inheriting(handle: int) -> dict[str, Any]:
    """Returns the arguments of `Popen` that pass its end of the pipe to the process."""
    if sys.platform == "win32":
        os.set_handle_inheritable(handle, True)
        startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})
        flags = subprocess.CREATE_NEW_PROCESS_GROUP
        return {"startupinfo": startup, "creationflags": flags, "close_fds": True}
    # A session of its own: the terminal's Ctrl-C is for the loop's process only.
    return {"pass_fds": (handle,), "start_new_session": True}
