"""What a report costs the search's own process with 200 workers.

    python -m experiments.cluster.light

Two hundred worker processes do not fit this machine, so the workers are threads of this process
that wait for an epoch's seconds and then report a number: the pool, the loop, the scheduler and
the log are the real ones, and messages are pickled; Ray is not among them. CPU seconds include
those of the threads.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path

from experiments.chaos.searches import slow_wave
from kerashpo.core.history import History
from kerashpo.core.records import Budget
from kerashpo.executors.pool.worker_pool import PoolSettings, WorkerPool
from kerashpo.schedulers.asha import ASHA
from kerashpo.space.constructors import uniform
from kerashpo.space.space import Space
from kerashpo.store.open import read_events
from kerashpo.study.compatibility import StudySpec
from kerashpo.study.loop import Limits
from kerashpo.study.open import open_or_create
from kerashpo.study.run_study import SearchParts, run_study
from kerashpo.testing.curve_runner import METRIC, CurveRunner
from tests.helpers.thread_transport import ThreadTransport

EPOCHS, FACTOR = 27, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[8, 200])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=1.0, help="of an epoch")
    given = parser.parse_args()
    for workers in given.workers:
        trials = min(given.trials, 5 * workers)
        with tempfile.TemporaryDirectory() as place:
            space, limits = Space({"x": uniform(0.0, 1.0)}), Limits(Budget(max_trials=trials))
            parts = SearchParts("random", ASHA(EPOCHS, factor=FACTOR), limits=limits)
            spec = StudySpec(space.to_json(), ((METRIC, "min"),), 0)
            opened = open_or_create(spec, Path(place) / "study", parts.scheduler)
            make = partial(CurveRunner, partial(slow_wave, given.seconds))
            pool = WorkerPool(ThreadTransport(make, workers), PoolSettings(ahead=1.0))
            cpu, wall = time.process_time(), time.perf_counter()
            try:
                run_study(opened, parts, pool)
            finally:
                opened.store.close()
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            history = History(read_events(Path(place) / "study"))
        print(
            f"{workers} workers: {len(history.trials)} trials, {history.epochs} reports in "
            f"{wall:.1f} s, {1000 * cpu / history.epochs:.2f} ms CPU a report",
            flush=True,
        )


if __name__ == "__main__":
    main()
