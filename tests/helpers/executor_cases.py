"""Learning curves that are slow, kill their worker or hang, and a `Driver` for executors."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kerashpo.core.events import Ended, Reached, Reported
from kerashpo.core.records import Config, Resume, Start
from kerashpo.executors.base import Emit, Executor, Runner
from kerashpo.executors.messages import Failed, Message, WorkItem
from kerashpo.executors.pool.worker_pool import PoolSettings, WorkerPool
from kerashpo.executors.processes.pipe_transport import ProcessTransport
from kerashpo.executors.processes.resources import places
from kerashpo.testing.curve_runner import CurveRunner, wave


def slow(config: Config, epoch: int) -> float:
    time.sleep(0.02)
    return wave(config, epoch)


def kills_its_worker(config: Config, epoch: int) -> float:
    """Trial 0 kills its worker at epoch 2, as a trial that always runs out of memory does."""
    if config["x"] == 0 and epoch == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return wave(config, epoch)


def hangs(config: Config, epoch: int) -> float:
    """Trial 0 hangs in its second epoch, but only the first time."""
    mark = Path(str(config["mark"]))
    if config["x"] == 0 and epoch == 2 and not mark.exists():
        mark.touch()
        time.sleep(600)
    return wave({"x": config["x"]}, epoch)


HELD: list[bytearray] = []


def grows(config: Config, epoch: int) -> float:
    """Trial 0 leaks 150 MB of memory."""
    if config["x"] == 0:
        HELD.append(bytearray(os.urandom(10**6) * 150))
    return wave(config, epoch)


def placed(config: Config, epoch: int) -> dict[str, float]:
    """Returns the resources of its worker; slowly, so that both workers get a trial."""
    time.sleep(0.02)
    cores = os.sched_getaffinity(0)
    return {
        "value": 0.0,
        "first": min(cores),
        "cores": len(cores),
        "threads": float(os.environ["OMP_NUM_THREADS"]),
        "gpu": float(os.environ["CUDA_VISIBLE_DEVICES"]),
    }


def ends_children(config: Config, epoch: int) -> float:
    """Returns how many of its children end by SIGTERM, one forked and one started."""
    mine, theirs = os.pipe()
    forked = os.fork()
    if forked == 0:
        os.write(theirs, b"x")
        time.sleep(60)
        os._exit(0)
    os.read(mine, 1)
    os.kill(forked, signal.SIGTERM)
    _, status = os.waitpid(forked, 0)
    started = subprocess.Popen(["sleep", "60"])
    started.terminate()
    codes = (os.waitstatus_to_exitcode(status), started.wait())
    return float(sum(code == -signal.SIGTERM for code in codes))


class DiesAfterwards(Runner):
    """A runner whose process is killed after a task's last message, before it reports `Idle`."""

    def __init__(self) -> None:
        self._inner = CurveRunner()

    def train(self, item: WorkItem, emit: Emit) -> None:
        self._inner.train(item, emit)
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGKILL)

    def free(self, trial: int) -> None:
        self._inner.free(trial)

    def drop(self, trial: int) -> None:
        self._inner.drop(trial)


class Driver:
    """Submits tasks to an executor and keeps the messages."""

    def __init__(self, executor: Executor) -> None:
        self.executor, self.messages = executor, list[Message]()
        self._size = executor.free()

    def start(self, trial: int, until: int, **values: Any) -> None:
        config = {"x": trial, **values}
        self.executor.submit([WorkItem(Start(trial, config, until), config, until)])

    def resume(self, trial: int, until: int) -> None:
        self.executor.submit([WorkItem(Resume(trial, until), {"x": trial}, until)])

    def until(self, done: Callable[[], bool], seconds: float = 60.0) -> None:
        """Polls until a condition holds."""
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"still waiting after {seconds} s; messages: {self.messages[-5:]}"
                )
            self.executor.poll(self.messages.append, timeout=0.05)

    def drain(self) -> None:
        """Polls until every task has ended and its worker is idle."""
        self.until(lambda: self.executor.free() == self._size)

    def epochs(self, trial: int) -> list[int]:
        return [
            m.report.epoch for m in self.messages if isinstance(m, Reported) and m.trial == trial
        ]

    def values(self, trial: int) -> dict[int, float]:
        found = [m.report for m in self.messages if isinstance(m, Reported) and m.trial == trial]
        return {report.epoch: report.metrics["value"] for report in found}

    def end(self, trial: int) -> Message:
        """Returns the last message of a trial."""
        ends = [m for m in self.messages if isinstance(m, (Reached, Failed, Ended))]
        return [m for m in ends if m.trial == trial][-1]


def pool(
    make: Callable[[], Runner],
    workers: int = 1,
    logs: Path | None = None,
    parts: Mapping[str, Any] | None = None,
    **settings: Any,
) -> WorkerPool:
    """Returns a pool of worker processes on any core."""
    transport = ProcessTransport(make, places(workers, ()), logs=logs, parts=parts)
    return WorkerPool(transport, PoolSettings(**settings))


def unbroken(trial: int, until: int) -> dict[int, float]:
    return {epoch: wave({"x": trial}, epoch) for epoch in range(1, until + 1)}
