"""The user's callbacks over a trial's whole life."""

from __future__ import annotations

import threading
from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Reported
from kerashpo.core.records import Decision
from kerashpo.store.blobs import MemoryBlobs
from kerashpo.training.user_callbacks import OncePerTrial, check_callbacks, fresh_callbacks
from tests.helpers.training_rig import Rig


def listening() -> tuple[type[keras.callbacks.Callback], list[str]]:
    """Returns a callback class whose copies all note into one list."""
    calls: list[str] = []

    class Listening(keras.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            calls.append("begin")

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            calls.append(f"epoch {epoch}")

        def on_train_end(self, logs: Any = None) -> None:
            calls.append("end")

    return Listening, calls


def test_begin_and_end_are_seen_once_a_trial():
    listener, calls = listening()
    rig = Rig(callbacks=[listener()], settings={"max_epochs": 3})
    rig.start(1)
    rig.resume(2)
    rig.resume(3)
    rig.runner.free(0)
    assert calls == ["begin", "epoch 0", "epoch 1", "epoch 2", "end"]


def test_a_trial_that_loses_its_rung_sees_its_end():
    listener, calls = listening()
    rig = Rig(callbacks=[listener()])
    rig.start(1)
    rig.runner.free(0)
    rig.runner.free(0)
    assert calls == ["begin", "epoch 0", "end"]


def test_a_trial_stopped_within_its_task_sees_its_end_once():
    listener, calls = listening()
    stop = lambda m: Decision.STOP if isinstance(m, Reported) else Decision.CONTINUE
    rig = Rig(callbacks=[listener()], answer=stop)
    rig.start(3)
    rig.runner.free(0)
    assert calls == ["begin", "epoch 0", "end"]


def test_an_error_at_the_end_of_a_decided_trial_is_logged(caplog):
    class Broken(keras.callbacks.Callback):
        def on_train_end(self, logs: Any = None) -> None:
            raise OSError("cannot close")

    rig = Rig(callbacks=[Broken()])
    rig.start(1)
    rig.runner.free(0)
    assert "A callback failed at the end of trial 0" in caplog.text
    assert "cannot close" in caplog.text


def test_every_trial_has_its_own_copy():
    counting: list[int] = []

    class Counting(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.epochs = 0

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.epochs += 1
            counting.append(self.epochs)

    mine = Counting()
    rig = Rig(callbacks=[mine])
    rig.start(2)
    rig.start(2, trial=1)
    assert counting == [1, 2, 1, 2]
    assert mine.epochs == 0


def test_early_stopping_remembers_across_processes():
    blobs = MemoryBlobs()
    stop = keras.callbacks.EarlyStopping("val_loss", patience=2, min_delta=10.0)
    Rig(callbacks=[stop], blobs=blobs).start(2)
    rig = Rig(callbacks=[stop], blobs=blobs)
    rig.resume(4)
    assert [report.epoch for report in rig.reports] == [3]


def test_what_a_callback_opens_at_the_beginning_is_open_after_a_revival():
    class Writing(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.best = 0.0
            self.file: Any = None

        def on_train_begin(self, logs: Any = None) -> None:
            self.best, self.file = -1.0, {"open": True}

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            assert self.file["open"]
            self.best += 1.0

    blobs = MemoryBlobs()
    Rig(callbacks=[Writing()], blobs=blobs).start(2)
    rig = Rig(callbacks=[Writing()], blobs=blobs)
    rig.resume(3)
    assert len(rig.reports) == 1
    assert rig.live().callbacks[0].wrapped.best == 2.0


def test_state_keeps_scalars_and_arrays():
    callback = keras.callbacks.Callback()
    callback.wait, callback.best = 3, np.float32(0.5)
    callback.weights = [np.ones(2), np.zeros(3)]
    callback.lock = object()
    callback.monitor_op = keras.ops.less
    kept = OncePerTrial(callback).state()
    assert (kept["wait"], kept["best"], len(kept["weights"])) == (3, 0.5, 2)
    assert kept["monitor_op"] == {"op": "less"}
    assert "lock" not in kept


def test_functions_make_callbacks():
    made = fresh_callbacks([keras.callbacks.EarlyStopping, lambda: [keras.callbacks.Callback()]])
    assert [type(one.wrapped).__name__ for one in made] == ["EarlyStopping", "Callback"]


def test_one_that_cannot_be_copied_says_the_way_out():
    callback = keras.callbacks.Callback()
    callback.lock = threading.Lock()
    with pytest.raises(InvalidInput, match=r"Callback cannot be copied.*lambda: Callback\(...\)"):
        fresh_callbacks([callback])


def test_neither_callback_nor_function():
    with pytest.raises(InvalidInput, match="callbacks must be keras callbacks.*'early'"):
        check_callbacks(["early"])
    one = keras.callbacks.Callback()
    assert check_callbacks(one) == (one,)
    assert check_callbacks(None) == ()


def test_a_factory_that_makes_no_callback_is_told():
    with pytest.raises(InvalidInput, match="made 3"):
        fresh_callbacks([lambda: 3])
