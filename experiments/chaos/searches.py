"""The searches that are killed. Each resumes when it is started again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, final

from experiments.chaos.probe import Probe
from kerashpo.core.records import Budget, Config
from kerashpo.executors.base import Executor, Runner
from kerashpo.executors.pool.worker_pool import WorkerPool
from kerashpo.executors.processes.pipe_transport import ProcessTransport
from kerashpo.executors.processes.resources import available_cores, places
from kerashpo.executors.serial import SerialExecutor
from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.full_training import Full
from kerashpo.schedulers.hyperband import Hyperband
from kerashpo.space.constructors import uniform
from kerashpo.space.space import Space
from kerashpo.store.blobs import FileBlobs
from kerashpo.store.open import CHECKPOINTS
from kerashpo.study.compatibility import StudySpec
from kerashpo.study.loop import Limits
from kerashpo.study.open import open_or_create
from kerashpo.study.run_study import SearchParts, run_study
from kerashpo.testing.curve_runner import METRIC, CurveRunner, wave

Kind = Literal["curves", "keras"]
MAX_EPOCHS = 9
BATCH = 8


@final
@dataclass(frozen=True, slots=True)
class Search:
    """Settings of a search.

    Attributes:
        kind: curves of a formula, or real training.
        seed: the study's seed.
        workers: processes that train; 1 is the search's own.
        checkpoint_every: seconds between checkpoints of real training; curves have one an epoch.
        epoch_seconds: how long an epoch of a curve takes.
        trials: fully train this many trials instead of Hyperband.
    """

    kind: Kind = "curves"
    seed: int = 0
    workers: int = 1
    checkpoint_every: float = 0.0
    epoch_seconds: float = 0.002
    trials: int | None = None

    def run(self, folder: Path) -> None:
        """Searches in ``folder/study`` until nothing is left to do."""
        if self.kind == "keras":
            self._train(folder)
        else:
            self._play(folder)

    def scheduler(self) -> Scheduler:
        """Returns the scheduler of the curves."""
        return Hyperband(MAX_EPOCHS) if self.trials is None else Full(3, self.trials)

    def _play(self, folder: Path) -> None:
        space = Space({"x": uniform(0.0, 1.0)})
        spec = StudySpec(space.to_json(), ((METRIC, "min"),), self.seed)
        limits = Limits(Budget(max_trials=self.trials))
        parts = SearchParts("random", self.scheduler(), limits=limits)
        opened = open_or_create(spec, folder / "study", parts.scheduler)
        try:
            make = Player(folder, self.epoch_seconds)
            run_study(opened, parts, self._executor(make, folder))
        finally:
            opened.store.close()

    def _executor(self, make: Player, folder: Path) -> Executor:
        if self.workers == 1:
            return SerialExecutor(make())
        Probe.install(folder, CurveRunner)
        where = places(self.workers, available_cores())
        return WorkerPool(ProcessTransport(make, where, logs=folder / "logs"))

    def _train(self, folder: Path) -> None:
        import kerashpo as kt
        from kerashpo.training.runner import KerasRunner

        Probe.install(folder, KerasRunner)
        tuner = kt.Hyperband(
            Builder(folder),
            "val_loss",
            max_epochs=4,
            factor=2,
            seed=self.seed,
            directory=folder,
            project_name="study",
            checkpoint_every=self.checkpoint_every,
            workers=self.workers,
            deterministic=self.workers > 1,
        )
        tuner.search(**data(), verbose=0, batch_size=BATCH)


@final
@dataclass(frozen=True, slots=True)
class Player:
    """Builds the runner of curves, in whichever process."""

    folder: Path
    epoch_seconds: float

    def __call__(self) -> Runner:
        Probe.install(self.folder, CurveRunner)
        curve = partial(slow_wave, self.epoch_seconds)
        return CurveRunner(curve, FileBlobs(self.folder / "study" / CHECKPOINTS))


def slow_wave(seconds: float, config: Config, epoch: int) -> float:
    """A curve whose epochs take time."""
    time.sleep(seconds)
    return wave(config, epoch)


@final
class Builder:
    """``build_model``, which installs the probe in a worker process as soon as it is unpickled.

    Args:
        folder: the probe's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __setstate__(self, state: dict[str, Any]) -> None:
        from kerashpo.training.runner import KerasRunner

        self.__dict__.update(state)
        Probe.install(self._folder, KerasRunner)

    def __call__(self, hp: Any) -> Any:
        return small_model(hp)


def small_model(hp: Any) -> Any:
    """``build_model`` of a small classifier with dropout."""
    import keras

    layers = [
        keras.Input((4,)),
        keras.layers.Dense(hp.Choice("units", [4, 8]), "relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(1, "sigmoid"),
    ]
    model = keras.Sequential(layers)
    rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


def data() -> dict[str, Any]:
    """Returns arrays on which a small model improves in a few epochs."""
    import numpy as np

    rows = np.random.default_rng(0).normal(size=(96, 4)).astype("float32")
    labels = (rows[:, 0] + 0.5 * rows[:, 1] > 0).astype("float32")
    return {"x": rows[:64], "y": labels[:64], "validation_data": (rows[64:], labels[64:])}
