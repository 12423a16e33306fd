"""Callbacks of Keras's and of the user's own."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

import keras
import numpy as np

from tests.helpers.fit_cases.case import (
    ON_TENSORFLOW,
    ROWS,
    VALUES,
    Case,
    arrays,
    dense,
    layers,
    stack,
)

callbacks, optimizers = keras.callbacks, keras.optimizers


class Trend(callbacks.Callback):
    """Callback with state in containers of every kind, from which it sets the learning rate."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.losses, self.window = [], deque(maxlen=2)
        self.counts, self.sums = Counter(), {"all": np.zeros(2)}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.losses.append(logs["loss"])
        self.window.append(logs["val_loss"])
        self.counts["epochs"] += 1
        self.sums["all"] += (logs["loss"], 1.0)
        spread = sum(self.window) + self.sums["all"][0] / self.counts["epochs"]
        self.model.optimizer.learning_rate = 0.01 * float(spread)
        logs["trend"] = sum(self.losses)


class Reads(callbacks.Callback):
    """Sets the rate from the losses of all earlier epochs, and from an attribute of the model."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        losses = self.model.history.history.get("loss", [])
        if epoch == 0:
            self.model.seen = 0
        self.model.seen += len(losses)
        self.model.optimizer.learning_rate = 0.01 * (1 + sum(losses)) / (1 + self.model.seen)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs["epochs"] = len(self.model.history.epoch) + 100 * self.model.seen


class Best(callbacks.Callback):
    """Keeps weights and puts them back in the middle of a training."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == 0:
            self.kept = self.model.get_weights()
        if epoch == 2:
            self.model.set_weights(self.kept)


class Unfreeze(callbacks.Callback):
    """Scales weights at the start of an epoch."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == 2:
            self.model.layers[0].kernel.assign(0.5 * self.model.layers[0].kernel)


class Freeze(callbacks.Callback):
    """Freezes the first layer at the start of an epoch, counted from 0.

    `fit` heeds it in the first epoch, before which nothing is traced, and later only if its train
    function is made again (`anew`), if need be compiled again.
    """

    def __init__(self, when: int, anew: bool = False, optimizer: Any = None) -> None:
        super().__init__()
        self.when, self.anew, self.optimizer = when, anew, optimizer

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch != self.when:
            return
        self.model.layers[0].trainable = False
        if self.optimizer is not None:
            optimizer = type(self.optimizer).from_config(self.optimizer.get_config())
            self.model.compile(optimizer, "mse", metrics=["mae"], jit_compile=False)
        if self.anew:
            self.model.make_train_function(force=True)


class Batches(callbacks.Callback):
    """Listens to batches and sets the rate at each."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.model.optimizer.learning_rate = 0.01 / (batch + 1)


def regression(optimizer: Any = None, drop: float = 0.2, **given: Any) -> Any:
    return stack(
        dense(4),
        lambda: layers.Dropout(drop),
        last=dense(1, None),
        loss="mse",
        metrics=["mae"],
        optimizer=optimizer,
        **given,
    )


DATA = arrays(y=VALUES)
SGD = lambda: optimizers.SGD(0.1, momentum=0.5)

CASES = {
    "EarlyStopping that restores the best weights": Case(
        regression(SGD),
        DATA,
        lambda folder: [
            callbacks.EarlyStopping("val_loss", mode="max", patience=1, restore_best_weights=True)
        ],
    ),
    "EarlyStopping from an epoch on, with a baseline": Case(
        regression(),
        DATA,
        lambda folder: [
            callbacks.EarlyStopping(
                "loss", baseline=0.01, patience=1, start_from_epoch=1, restore_best_weights=True
            )
        ],
    ),
    "ReduceLROnPlateau with a cooldown": Case(
        regression(),
        DATA,
        lambda folder: [
            callbacks.ReduceLROnPlateau("val_loss", mode="max", patience=1, factor=0.1, cooldown=1)
        ],
    ),
    "LearningRateScheduler of epoch and rate": Case(
        regression(),
        DATA,
        lambda folder: [
            callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.7 + 1e-4 * epoch)
        ],
    ),
    "ModelCheckpoint, CSVLogger, LambdaCallback": Case(
        regression(),
        DATA,
        lambda folder: [
            callbacks.ModelCheckpoint(
                f"{folder}/best.weights.h5", "val_loss", save_best_only=True, save_weights_only=True
            ),
            callbacks.CSVLogger(f"{folder}/log.csv"),
            callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: logs.update(twice=2.0 * epoch)
            ),
        ],
    ),
    "TerminateOnNaN": Case(regression(), DATA, lambda folder: [callbacks.TerminateOnNaN()]),
    "SwapEMAWeights for validations": Case(
        regression(lambda: optimizers.Adam(0.02, use_ema=True, ema_momentum=0.6), drop=0.0),
        DATA,
        lambda folder: [callbacks.SwapEMAWeights()],
    ),
    "SwapEMAWeights at epochs' ends": Case(
        regression(lambda: optimizers.Adam(0.02, use_ema=True, ema_momentum=0.6), drop=0.0),
        DATA,
        lambda folder: [callbacks.SwapEMAWeights(swap_on_epoch=True)],
    ),
    "BackupAndRestore": Case(
        regression(), DATA, lambda folder: [callbacks.BackupAndRestore(f"{folder}/backup")]
    ),
    "a callback that remembers": Case(regression(), DATA, lambda folder: [Trend()]),
    "a callback that reads the history": Case(regression(), DATA, lambda folder: [Reads()]),
    "callbacks that set weights": Case(regression(), DATA, lambda folder: [Best(), Unfreeze()]),
    "a callback that listens to batches": Case(
        regression(), DATA, lambda folder: [Batches()], compiled=False
    ),
    **{
        # On JAX `fit` itself fails when fewer variables are trained than the optimizer knows.
        name: Case(
            regression(),
            DATA,
            lambda folder, made=made: made(),
            compiled="not compiled" not in name,
            applies=ON_TENSORFLOW,
        )
        for name, made in {
            "a layer frozen before the first batch": lambda: [Freeze(0)],
            "a layer frozen too late": lambda: [Freeze(1)],
            "a layer frozen in the middle": lambda: [Freeze(1, anew=True)],
            "a layer frozen in the middle, not compiled epochs": lambda: [Freeze(0), Batches()],
            "compiled again in the middle": lambda: [
                Freeze(2, anew=True, optimizer=optimizers.SGD(0.05))
            ],
        }.items()
    },
    "several at once": Case(
        regression(lambda: optimizers.Adam(0.05, use_ema=True)),
        {**DATA, "validation_freq": 2},
        lambda folder: [
            callbacks.LearningRateScheduler(lambda epoch: 0.05 / (epoch + 1)),
            callbacks.EarlyStopping("loss", patience=3, restore_best_weights=True),
            callbacks.TerminateOnNaN(),
        ],
    ),
}
assert len(ROWS) == 45
