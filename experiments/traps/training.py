"""Traps of training: both sides' tuners search with a small Keras model."""

from __future__ import annotations

import contextlib
import io
import sys
import time
import traceback
from typing import Any, ClassVar

import keras

from experiments.traps.small import DATA, build, build_six, make_model


def tuners(side: str) -> Any:
    """Returns the module that holds a side's tuners."""
    if side == "theirs":
        import keras_tuner

        return keras_tuner
    import kerashpo

    return kerashpo


def _search(tuner: Any, **more: Any) -> str:
    """Searches in silence; returns what was raised."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            tuner.search(**{**DATA, **more})
    except Exception as error:
        return "".join(traceback.format_exception_only(error)).strip().splitlines()[0][:70]
    return ""


def without_tensorboard(side: str, folder: str) -> str:
    """The hello-world search where tensorboard is not installed."""
    sys.modules["tensorboard"] = None  # type: ignore[assignment]
    tuner = tuners(side).RandomSearch(build, "val_accuracy", max_trials=4, directory=folder)
    raised = _search(tuner)
    return f"stops: {raised}" if raised else "4 trials"


class Log(keras.callbacks.Callback):
    """Notes the optimizer's steps at each epoch; logs a metric; fails if `failing`."""

    begun: ClassVar[list[tuple[int, int]]] = []
    nan_first = failing = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        Log.begun.append((epoch, int(self.model.optimizer.iterations)))
        if Log.failing:
            raise RuntimeError("the disk is full")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["val_own"] = float("nan") if Log.nan_first and epoch == 0 else 0.5 + epoch / 10


def nan_in_the_first_epoch(side: str, folder: str) -> str:
    """Three good trials whose first epoch alone is NaN."""
    kt = tuners(side)
    Log.nan_first = True
    aim = kt.Objective("val_own", "max")
    tuner = kt.RandomSearch(build, aim, max_trials=3, directory=folder, seed=1)
    raised = _search(tuner, epochs=3, callbacks=[Log()])
    if raised:
        return f"stops: {raised}"
    if side == "theirs":
        scores = [trial.score for trial in tuner.oracle.trials.values()]
    else:
        scores = list(tuner.results.trials()["score"])
    return f"scores {', '.join(f'{score:.1f}' for score in scores)}"


def misspelt_objective(side: str, folder: str) -> str:
    """Epochs trained before an objective that no model logs is reported."""
    return _epochs_until_told(side, folder, [])


def misspelt_beside_a_callback(side: str, folder: str) -> str:
    """The same with a callback of the user's own, which might have logged it."""
    return _epochs_until_told(side, folder, [Log()])


def _epochs_until_told(side: str, folder: str, callbacks: list[Any]) -> str:
    kt, counted = tuners(side), keras.callbacks.CallbackList.on_epoch_end
    epochs: list[int] = []

    def counting(self: Any, epoch: int, logs: Any = None) -> None:
        epochs.append(epoch)
        counted(self, epoch, logs)

    keras.callbacks.CallbackList.on_epoch_end = counting
    aim = kt.Objective("val_auc", "max")
    tuner = kt.RandomSearch(build, aim, max_trials=5, directory=folder, seed=1)
    raised = _search(tuner, epochs=10, callbacks=callbacks)
    return f"{len(epochs)} epochs, then {raised.partition(':')[0].rpartition('.')[2]}"


def failure_streak(side: str, folder: str) -> str:
    """Three trials fail in a row: what a new process finds, and what a second search tries."""
    kt, Log.failing = tuners(side), True
    given = {"objective": "val_loss", "max_trials": 9, "directory": folder, "seed": 1}
    _search(kt.RandomSearch(build, **given), callbacks=[Log()])
    again = kt.RandomSearch(build, **given)
    known = again.oracle.trials if side == "theirs" else again.results.history.trials
    statuses = [str(getattr(t.status, "value", t.status)) for t in known.values()]
    Log.begun = []
    _search(again, callbacks=[Log()])
    return f"{statuses.count('FAILED')} failed trials; tries {len(Log.begun)}"


def keras_seeds(side: str, folder: str) -> str:
    """The same search twice with one seed, in one process."""
    kt = tuners(side)
    scores = []
    for number in range(2):
        tuner = kt.RandomSearch(
            build_six, "val_loss", max_trials=2, seed=7, directory=f"{folder}/{number}"
        )
        _search(tuner)
        if side == "theirs":
            scores.append([t.score for t in tuner.oracle.trials.values()])
        else:
            scores.append(list(tuner.results.trials()["score"]))
    gap = max(abs(a - b) for a, b in zip(*scores))
    return f"val_loss differs by {gap:.2g}"


def overhead(side: str, folder: str) -> str:
    """CPU seconds a trial beyond building and fitting its model, 10 trials of an epoch."""
    bare = time.process_time()
    for units in range(1, 11):
        make_model(units).fit(**DATA)
    bare = time.process_time() - bare
    tuner = tuners(side).RandomSearch(build, "val_loss", max_trials=10, directory=folder, seed=1)
    began = time.process_time()
    _search(tuner)
    return f"{(time.process_time() - began - bare) / 10:+.2f} s"


def promoted_optimizer(side: str, folder: str) -> str:
    """Steps that a promoted model's optimizer remembers at its second epoch."""
    tuner = tuners(side).Hyperband(
        build, "val_loss", max_epochs=2, factor=2, seed=1, directory=folder
    )
    Log.begun = []
    _search(tuner, callbacks=[Log()])
    began = [steps for epoch, steps in Log.begun if epoch == 1]
    return f"{began[0]} of 4" if began else "never promoted"
