"""Hyperband on curves of a formula whose epochs sleep, on a Ray cluster.

python -m experiments.cluster.search FOLDER ADDRESS EPOCH_SECONDS
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from experiments.chaos.searches import slow_wave
from kerashpo.core.errors import ClusterLost
from kerashpo.core.records import Budget
from kerashpo.executors.factories import ExecutorRequest
from kerashpo.executors.pool.worker_pool import PoolSettings
from kerashpo.executors.ray.factory import Ray
from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.hyperband import Hyperband
from kerashpo.space.constructors import uniform
from kerashpo.space.space import Space
from kerashpo.store.open import open_blobs
from kerashpo.study.compatibility import StudySpec
from kerashpo.study.loop import Limits
from kerashpo.study.open import open_or_create
from kerashpo.study.run_study import SearchParts, run_study
from kerashpo.testing.curve_runner import METRIC, CurveRunner

LOST = 3
"""The exit code if the head was lost and the search said so."""


def run(
    folder: Path,
    address: str,
    seconds: float,
    scheduler: Scheduler | None = None,
    trials: int | None = None,
) -> None:
    """Searches in a folder, on the cluster at an address, until nothing is left to do."""
    limits = Limits(Budget(max_trials=trials))
    space = Space({"x": uniform(0.0, 1.0)})
    spec = StudySpec(space.to_json(), ((METRIC, "min"),), 0)
    parts = SearchParts("random", scheduler or Hyperband(9), limits=limits)
    opened = open_or_create(spec, folder, parts.scheduler)
    try:
        blobs = open_blobs(folder)
        make = partial(CurveRunner, partial(slow_wave, seconds), blobs)
        request = ExecutorRequest(lambda _: make, settings=PoolSettings(ahead=0.2), blobs=blobs)
        executor, _, _ = Ray(address=address).build(request)
        run_study(opened, parts, executor)
    finally:
        opened.store.close()


if __name__ == "__main__":
    try:
        run(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
    except ClusterLost as error:
        print(error, file=sys.stderr)
        raise SystemExit(LOST) from error
