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
from kerashpo.training.user_callbacks import check_callbacks, fresh_callbacks, to_metrics
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


def test_the_end_comes_with_the_logs_of_the_last_epoch_wherever_that_was_trained():
    seen = []

    class Last(keras.callbacks.Callback):
        def on_train_end(self, logs: Any = None) -> None:
            seen.append((self.model is not None, dict(logs)))

    for settings in ({}, {"keep_in_memory": 0}):
        rig = Rig(callbacks=[Last()], settings=settings)
        rig.start(2)
        rig.start(1, trial=1)  # with nothing kept in memory, trial 0 leaves it
        rig.runner.free(0)
    other = Rig(callbacks=[Last()], blobs=rig.blobs)
    other.start(1, trial=2)
    assert seen[0] == seen[1] == (True, rig.reports[1].metrics)
    assert len(seen) == 2


def test_a_rung_is_not_the_end_of_the_planned_epochs():
    planned = []

    class Planning(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            planned.append(self.params["epochs"])

    for fast in (True, False):
        rig = Rig(callbacks=[Planning()], settings={"fast": fast, "max_epochs": 4})
        rig.start(2)
        rig.resume(4)
    assert planned == [4] * 8


def test_logs_become_single_numbers():
    logs = {
        "loss": np.float32(0.5),
        "f1": np.array([0.1, 0.2]),
        "one": np.array([3.0]),
        "matrix": np.eye(2),
        "nested": {"a": 1},
        "phase": "warm",
        "large": np.zeros(1000),
    }
    assert to_metrics(logs) == pytest.approx(
        {
            "loss": 0.5,
            "f1_0": 0.1,
            "f1_1": 0.2,
            "one": 3.0,
            "matrix_0_0": 1.0,
            "matrix_0_1": 0.0,
            "matrix_1_0": 0.0,
            "matrix_1_1": 1.0,
            "a": 1.0,
        }
    )


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


def test_functions_make_callbacks():
    made = fresh_callbacks([keras.callbacks.EarlyStopping, lambda: [keras.callbacks.Callback()]])
    assert [type(one.wrapped).__name__ for one in made] == ["EarlyStopping", "Callback"]


def test_a_function_may_return_the_same_callback_each_time(tmp_path):
    logger = keras.callbacks.CSVLogger(str(tmp_path / "log.csv"))
    rig = Rig(callbacks=[lambda: logger])
    for trial in (0, 1):
        rig.start(1, trial)
        rig.runner.free(trial)
    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.csv"))
    assert files == ["0/execution0/log.csv", "1/execution0/log.csv"]
    watch = keras.callbacks.Callback()
    assert fresh_callbacks([lambda: watch])[0].wrapped is watch  # the user's own is left alone


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


def test_a_factory_that_makes_no_callback_is_reported():
    with pytest.raises(InvalidInput, match="made 3"):
        fresh_callbacks([lambda: 3])
