"""Independent runs side by side, each worker a process with its share of threads."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any, final

from kerashpo.compare.arguments import ComparisonOptions
from kerashpo.compare.run_one import carry_out, load_keras, needs_keras
from kerashpo.compare.runs import Result, Run
from kerashpo.core.errors import KerashpoError

ATTEMPTS = 3
"""A run that ends its process so often is given up."""
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
Outcome = tuple[Run, "Result | None"]


def share_of_threads(workers: int, cores: int) -> int:
    """Returns how many threads each of some workers may use."""
    return max(1, cores // workers)


@final
class Workers:
    """Long-lived processes that carry out runs; what they finish is on disk before it is told.

    A process that dies is replaced and its run goes on from what is on disk. Ctrl-C lets
    every search finish its epoch and save; a second one ends them at once.

    Args:
        options: the comparison.
        cores: how many cores they share.
        begun: hears when a run is handed out.
    """

    def __init__(
        self, options: ComparisonOptions, cores: int, begun: Callable[[Run], None]
    ) -> None:
        self._options, self._begun = options, begun
        self._threads = share_of_threads(options.workers, cores)
        self._context = multiprocessing.get_context("spawn")
        self._busy: dict[Connection, tuple[BaseProcess, Run]] = {}
        self._idle: list[tuple[Connection, BaseProcess]] = []
        self._deaths: dict[Run, int] = {}
        self._asked = False

    def carry_out(self, todo: Sequence[Run]) -> Iterator[Outcome]:
        """Yields each run with its result as it ends, None for those that were interrupted.

        Raises:
            KerashpoError: if a run fails, or ends its process `ATTEMPTS` times.
        """
        waiting = deque(todo)
        with self._heeding():
            try:
                while self._busy or (waiting and not self._asked):
                    while waiting and not self._asked and len(self._busy) < self._options.workers:
                        self._hand_out(waiting.popleft())
                    for told in wait(list(self._busy)):
                        assert isinstance(told, Connection)
                        yield from self._hear(told, waiting)
            finally:
                self._close()

    def _hand_out(self, run: Run) -> None:
        connection, process = self._idle.pop() if self._idle else self._start()
        connection.send(run)
        self._busy[connection] = process, run
        self._begun(run)

    def _start(self) -> tuple[Connection, BaseProcess]:
        mine, theirs = self._context.Pipe()
        quiet = {"quiet": True, "workers": 1}
        process = self._context.Process(target=serve, args=(theirs, self._options, quiet))
        process.daemon = True
        with _environment(dict.fromkeys(_THREADS, str(self._threads))):
            process.start()
        theirs.close()
        return mine, process

    def _hear(self, connection: Connection, waiting: deque[Run]) -> Iterator[Outcome]:
        process, run = self._busy.pop(connection)
        try:
            kind, body = connection.recv()
        except (EOFError, OSError):
            process.join()
            connection.close()
            self._retry(run, process.exitcode, waiting)
            return
        self._idle.append((connection, process))
        if kind == "failed":
            raise KerashpoError(f"{run.tuner} on {run.problem}, seed {run.seed}: {body}")
        yield run, body

    def _retry(self, run: Run, code: int | None, waiting: deque[Run]) -> None:
        """Has the run of a dead process tried again, by another one."""
        self._deaths[run] = self._deaths.get(run, 0) + 1
        if self._deaths[run] >= ATTEMPTS:
            raise KerashpoError(
                f"{run.tuner} on {run.problem}, seed {run.seed}, ended its process {ATTEMPTS} "
                f"times (exit code {code}; -9 is often a lack of memory). What has finished is "
                "kept. Try fewer --workers."
            )
        waiting.appendleft(run)

    @contextlib.contextmanager
    def _heeding(self) -> Iterator[None]:
        """Passes Ctrl-C and SIGTERM on to the workers, which the terminal does not reach."""

        def notice(number: int, frame: FrameType | None) -> None:
            for process, _ in self._busy.values():
                if process.pid is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process.pid, signal.SIGKILL if self._asked else signal.SIGINT)
            if self._asked:
                raise KeyboardInterrupt
            self._asked = True

        main = threading.current_thread() is threading.main_thread()
        numbers = (signal.SIGINT, signal.SIGTERM) if main else ()
        before = {number: signal.signal(number, notice) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _close(self) -> None:
        busy = [(connection, process) for connection, (process, _) in self._busy.items()]
        for connection, process in busy:
            process.kill()
            connection.close()
        for connection, _ in self._idle:
            connection.close()
        for _, process in (*busy, *self._idle):
            process.join()


def serve(connection: Connection, options: ComparisonOptions, changes: dict[str, Any]) -> None:
    """Carries out runs until the other end is closed; a worker's whole life."""
    import dataclasses

    _leave_the_terminal()
    threading.Thread(target=_die_with_parent, daemon=True).start()
    options = dataclasses.replace(options, **changes)
    while True:
        try:
            run = connection.recv()
        except EOFError:
            return
        connection.send(_outcome(run, options))


def _outcome(run: Run, options: ComparisonOptions) -> tuple[str, Any]:
    try:
        if needs_keras(run) and _asked_while(load_keras):
            return "done", None
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return "done", carry_out(run, options)
    except KeyboardInterrupt:  # within a peer's search, or between the steps of ours
        return "done", None
    except KerashpoError as error:
        return "failed", str(error)
    except Exception:
        return "failed", traceback.format_exc()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _asked_while(load: Callable[[], None]) -> bool:
    """Loads packages; tells whether the user interrupted meanwhile.

    An exception out of the middle of an import may be swallowed by whatever is imported.
    """
    asked: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: asked.append(number))
    load()
    return bool(asked)


def _leave_the_terminal() -> None:
    """A terminal's Ctrl-C reaches its whole group; the parent passes it on once."""
    if hasattr(os, "setpgrp"):
        os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Sets variables that a process starting now inherits."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
