"""Throughput of the loop and its log in epochs per second, and their cost while workers train.

    python -m experiments.chaos.throughput

Worker processes train curves: epochs that take no time show how many reports a second go
through pipe, loop, scheduler and log; epochs of 10 ms show the share of one core that the
loop takes beside 8 workers. Everything but the training is what a real search uses.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kerashpo.core.records import Budget, Config
from kerashpo.executors.base import Executor
from kerashpo.executors.pool.worker_pool import PoolSettings, WorkerPool
from kerashpo.executors.processes.pipe_transport import ProcessTransport
from kerashpo.executors.processes.resources import available_cores, places
from kerashpo.executors.serial import SerialExecutor
from kerashpo.schedulers.full_training import Full
from kerashpo.space.constructors import uniform
from kerashpo.space.space import Space
from kerashpo.study.compatibility import StudySpec
from kerashpo.study.loop import Limits
from kerashpo.study.open import open_or_create
from kerashpo.study.run_study import SearchParts, run_study
from kerashpo.testing.curve_runner import METRIC, CurveRunner, wave


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement; `cpu` is the loop's own processor time in seconds."""

    workers: str
    epoch_ms: float
    epochs: int
    seconds: float
    cpu: float

    def line(self) -> str:
        """Returns it as a line of a Markdown table."""
        share, each = 100 * self.cpu / self.seconds, 1e6 * self.cpu / self.epochs
        return (
            f"| {self.workers} | {self.epoch_ms:g} | {self.epochs} | "
            f"{self.epochs / self.seconds:.0f} | {share:.0f} % | {each:.0f} |"
        )


def curve(seconds: float, config: Config, epoch: int) -> float:
    """A curve whose epochs take some time."""
    if seconds:
        time.sleep(seconds)
    return wave(config, epoch)


def measure(workers: int, seconds: float, trials: int, epochs: int, waits: bool) -> Row:
    """Searches with a number of workers (0: in this process), start of workers left out."""
    runner = partial(CurveRunner, partial(curve, seconds))
    executor: Executor
    if workers:
        executor = WorkerPool(
            ProcessTransport(runner, places(workers, available_cores())), PoolSettings(waits)
        )
        executor.start()
        while executor.ready < workers:
            executor.poll(lambda message: None, timeout=0.1)
    else:
        executor = SerialExecutor(runner())
    space = Space({"x": uniform(0.0, 1.0)})
    parts = SearchParts("random", Full(epochs, trials), limits=Limits(Budget(max_trials=trials)))
    with tempfile.TemporaryDirectory() as folder:
        spec = StudySpec(space.to_json(), ((METRIC, "min"),), 0)
        opened = open_or_create(spec, Path(folder) / "s", parts.scheduler)
        began, cpu = time.perf_counter(), time.process_time()
        run_study(opened, parts, executor)
        spent, cpu = time.perf_counter() - began, time.process_time() - cpu
        opened.store.close()
    name = "this process" if not workers else f"{workers}{', each epoch answered' * waits}"
    return Row(name, 1000 * seconds, opened.history.epochs, spent, cpu)


def main() -> None:
    """Prints both tables as one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    trials = parser.parse_args().trials
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print("| workers | epoch, ms | epochs | epochs/s | loop's share of a core | us an epoch |")
    print("|---|---|---|---|---|---|")
    for workers, seconds, waits in (
        (0, 0.0, False),
        (1, 0.0, False),
        (8, 0.0, False),
        (8, 0.0, True),
        (8, 0.01, False),
        (8, 0.01, True),
    ):
        print(measure(workers, seconds, trials, 50, waits).line(), flush=True)


if __name__ == "__main__":
    main()
