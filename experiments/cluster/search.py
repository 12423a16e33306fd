"""Searches whose epochs take time, on a Ray cluster: curves of a formula, or real training.

python -m experiments.cluster.search FOLDER ADDRESS EPOCH_SECONDS [curves|training]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from experiments.chaos.probe import Probe
from experiments.chaos.searches import BATCH, Builder, data, slow_wave
from kerashpo.core.errors import ClusterLost, InvalidInput
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
CHECKPOINT_EVERY = 0.2
"""Seconds between the checkpoints of real training; curves have one an epoch."""
SERIAL = "serial"
"""In place of a cluster's address: train in one worker process."""


def run(
    folder: Path,
    address: str,
    seconds: float,
    scheduler: Scheduler | None = None,
    trials: int | None = None,
    noted: bool = False,
) -> None:
    """Searches in a folder, on the cluster at an address, until nothing is left to do.

    Args:
        folder: the study's.
        address: the cluster's.
        seconds: how long an epoch takes.
        scheduler: in place of Hyperband.
        trials: the number of trials, if the scheduler needs one.
        noted: whether workers note every epoch that they train beside the study, see `Probe`.
    """
    limits = Limits(Budget(max_trials=trials))
    space = Space({"x": uniform(0.0, 1.0)})
    spec = StudySpec(space.to_json(), ((METRIC, "min"),), 0)
    parts = SearchParts("random", scheduler or Hyperband(9), limits=limits)
    opened = open_or_create(spec, folder, parts.scheduler)
    try:
        blobs = open_blobs(folder)
        play = partial(CurveRunner, partial(slow_wave, seconds), blobs)
        make = partial(_probed, folder.parent, play) if noted else play
        request = ExecutorRequest(lambda _: make, settings=PoolSettings(ahead=0.2), blobs=blobs)
        executor, _, _ = Ray(address=address).build(request)
        run_study(opened, parts, executor)
    finally:
        opened.store.close()


def _probed(folder: Path, play: Callable[[], CurveRunner]) -> CurveRunner:
    Probe.install(folder, CurveRunner)
    return play()


def train(folder: Path, address: str, seconds: float) -> None:
    """Searches with TensorFlow, deterministically, until nothing is left to do."""
    import keras

    import kerashpo as kt

    class Slowly(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            time.sleep(seconds)

    tuner = kt.Hyperband(
        Builder(folder.parent),
        "val_loss",
        max_epochs=4,
        factor=2,
        seed=0,
        directory=folder.parent,
        project_name=folder.name,
        checkpoint_every=CHECKPOINT_EVERY,
        executor=None if address == SERIAL else kt.executors.Ray(address=address),
        deterministic=True,
    )
    tuner.search(**data(), verbose=0, batch_size=BATCH, callbacks=[Slowly()])


def main(folder: str, address: str, seconds: str, kind: str = "curves") -> None:
    if kind == "training":
        train(Path(folder), address, float(seconds))
    else:
        run(Path(folder), address, float(seconds), noted=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (ClusterLost, InvalidInput) as error:  # lost, or gone before this search connected
        print(error, file=sys.stderr)
        raise SystemExit(LOST) from error
