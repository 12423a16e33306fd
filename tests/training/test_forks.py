"""Forks: a trial that starts from its parent's state, on both training loops and after a kill."""

from __future__ import annotations

import functools
import os
import signal
import time
from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.core.events import Noted, Reached, Reported
from kerashpo.core.records import Decision, Fork, Start
from kerashpo.executors.messages import Failed, WorkItem
from kerashpo.executors.pool.worker_pool import WorkerPool
from kerashpo.executors.processes.pipe_transport import ProcessTransport
from kerashpo.executors.processes.resources import Place
from kerashpo.store.blobs import FileBlobs, MemoryBlobs, checkpoint_key, origin_key
from kerashpo.training.factory import KerasSettings, RunnerFactory
from kerashpo.training.folds import RunData
from kerashpo.training.hypermodel import ModelBuilder
from kerashpo.training.settings import Settings
from tests.helpers.executor_cases import Driver
from tests.helpers.training_rig import OBJECTIVE, Rig, fit_data

FORK, GRANDCHILD = 7, 9
AT = 2
LOOPS = {"plain": False, "compiled": "auto"}


def build(hp: Any) -> keras.Model:
    """Adam, whose rate is tuned, and dropout."""
    layers = [
        keras.Input((4,)),
        keras.layers.Dense(hp.Int("units", 4, 16), "relu"),
        keras.layers.Dropout(hp.Float("drop", 0.0, 0.5, default=0.3)),
        keras.layers.Dense(1, "sigmoid"),
    ]
    model = keras.Sequential(layers)
    rate = hp.Float("rate", 1e-3, 1e-1, default=1e-2)
    adam = keras.optimizers.Adam(rate)
    model.compile(adam, "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model


class FromTwo(keras.callbacks.Callback):
    """Sets the learning rate after the second epoch."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == AT:
            self.model.optimizer.learning_rate = 0.05


ON_BOTH_LOOPS = pytest.mark.parametrize("fast", LOOPS.values(), ids=LOOPS)
#: What is done before a loop comes into play: on one of them every day.
MAINLY_COMPILED = pytest.mark.parametrize(
    "fast",
    [pytest.param(False, marks=pytest.mark.slow, id="plain"), pytest.param("auto", id="compiled")],
)


@pytest.fixture
def rig(fast: Any) -> Rig:
    return Rig(build, settings={"fast": fast})


def whole(fast: Any, **options: Any) -> Rig:
    """A trial that is trained for 4 epochs at a stretch."""
    rig = Rig(build, settings={"fast": fast}, **options)
    rig.start(4)
    return rig


undisturbed = functools.cache(whole)
"""The same without options, trained once."""


def epochs(rig: Rig, trial: int) -> dict[int, dict[str, float]]:
    return {r.epoch: dict(r.metrics) for r in rig.reports if r.trial == trial}


def assert_continues(rig: Rig, reference: Rig, trial: int = FORK) -> None:
    """The trial trained the reference's epochs 3 and 4, and is in its state, bit for bit."""
    theirs = epochs(reference, 0)
    assert epochs(rig, trial) == {epoch: theirs[epoch] for epoch in (3, 4)}
    for mine, others in zip(rig.state(trial), reference.state()):
        assert all(np.array_equal(a, b) for a, b in zip(mine, others, strict=True))


@ON_BOTH_LOOPS
def test_equal_values_give_the_parents_curve_and_state(rig, fast):
    rig.start(AT)
    rig.fork(4, FORK, (0, AT))
    assert_continues(rig, undisturbed(fast))
    assert rig.live(FORK).facts["training"] == ("plain" if fast is False else "compiled")
    assert rig.live(FORK).best.epoch > AT  # the parent's epochs are not its own
    assert rig.live(FORK).seconds < sum(r.seconds for r in rig.reports)


@MAINLY_COMPILED
def test_a_fork_of_a_fork_too(rig, fast):
    rig.start(1)
    rig.fork(AT, FORK, (0, 1))
    rig.fork(4, GRANDCHILD, (FORK, AT))
    assert_continues(rig, undisturbed(fast), GRANDCHILD)


@MAINLY_COMPILED
def test_the_parent_may_have_gone_on(rig, fast):
    rig.start(AT)
    rig.resume(4)
    rig.fork(4, FORK, (0, AT))
    assert_continues(rig, undisturbed(fast))


@ON_BOTH_LOOPS
def test_the_child_gets_its_own_learning_rate_in_the_parents_state(rig, fast):
    rig.start(AT)
    rig.fork(4, FORK, (0, AT), rate=0.05)
    assert_continues(rig, whole(fast, callbacks=[FromTwo()]))
    assert float(rig.live(FORK).model.optimizer.learning_rate.numpy()) == np.float32(0.05)


@MAINLY_COMPILED
@pytest.mark.parametrize("before, after", [(0.0, 0.3), (0.3, 0.0)])
def test_dropout_may_begin_and_end(rig, before, after):
    """A rate of 0 has no seed generator, whose state is a variable."""
    rig.start(AT, drop=before)
    steps = int(rig.live().model.optimizer.iterations.numpy())
    rig.fork(AT + 1, FORK, (0, AT), drop=after)
    assert list(epochs(rig, FORK)) == [AT + 1]
    assert int(rig.live(FORK).model.optimizer.iterations.numpy()) == steps / AT * (AT + 1)


@MAINLY_COMPILED
def test_a_rate_that_callbacks_changed_stays_where_the_value_is_the_parents(fast):
    def halved() -> keras.callbacks.Callback:
        return keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)

    rig = Rig(build, settings={"fast": fast}, callbacks=[halved])
    rig.start(AT)
    rig.fork(4, FORK, (0, AT))
    assert_continues(rig, whole(fast, callbacks=[halved]))
    rig.fork(3, GRANDCHILD, (0, AT), rate=0.08)
    rate = float(rig.live(GRANDCHILD).model.optimizer.learning_rate.numpy())
    assert rate == pytest.approx(0.04)


@MAINLY_COMPILED
def test_what_callbacks_remember_continues(fast):
    def plateau() -> keras.callbacks.Callback:
        return keras.callbacks.ReduceLROnPlateau("val_loss", patience=3, min_delta=10.0)

    rig = Rig(build, settings={"fast": fast}, callbacks=[plateau])
    rig.start(AT)
    rig.fork(4, FORK, (0, AT))
    reference = whole(fast, callbacks=[plateau])
    assert_continues(rig, reference)
    rates = [float(r.live(t).model.optimizer.learning_rate.numpy()) for r, t in
             ((rig, FORK), (reference, 0))]  # fmt: skip
    assert rates[0] == rates[1] < 0.01


def test_callbacks_write_to_files_of_the_forks_own(tmp_path):
    path = tmp_path / "log.csv"
    rig = Rig(build, callbacks=[keras.callbacks.CSVLogger(str(path))])
    rig.start(AT)
    rig.fork(4, FORK, (0, AT))
    rig.runner.free(0)
    rig.runner.free(FORK)
    for trial, logged in ((0, ["0", "1"]), (FORK, ["2", "3"])):
        lines = next(tmp_path.glob(f"{trial}/**/log.csv")).read_text().splitlines()
        assert [line.split(",")[0] for line in lines] == ["epoch", *logged]


@MAINLY_COMPILED
def test_an_interrupted_fork_starts_again_from_its_parent(fast):
    blobs = MemoryBlobs()
    first = Rig(build, settings={"fast": fast}, blobs=blobs)
    first.start(AT)
    for key in [key for key in blobs.stored() if "checkpoint" in key]:
        blobs.copy(key, origin_key(FORK))
        blobs.free(key)  # the parent is gone, and the fork was not begun
    second = Rig(build, settings={"fast": fast}, blobs=blobs)
    second.fork(4, FORK, (0, AT), again=True)
    assert_continues(second, undisturbed(fast))


@MAINLY_COMPILED
def test_an_interrupted_fork_continues_from_its_own_checkpoint(fast):
    blobs = MemoryBlobs()
    first = Rig(build, settings={"fast": fast}, blobs=blobs)
    first.start(AT)
    first.fork(3, FORK, (0, AT), rate=0.05)
    second = Rig(build, settings={"fast": fast}, blobs=blobs)
    second.messages = [m for m in first.messages if m.trial == FORK]
    second.fork(4, FORK, (0, AT), again=True, rate=0.05)
    assert_continues(second, whole(fast, callbacks=[FromTwo()]))


@MAINLY_COMPILED
def test_a_fork_whose_checkpoint_is_damaged_starts_again_from_its_parent(fast):
    blobs = MemoryBlobs()
    first = Rig(build, settings={"fast": fast}, blobs=blobs)
    first.start(AT)
    first.fork(3, FORK, (0, AT))
    blobs.put(checkpoint_key(FORK, 0, 3), b"cut sh")
    second = Rig(build, settings={"fast": fast}, blobs=blobs)
    said = second.fork(4, FORK, (0, AT), again=True)
    notes = [m.facts for m in said if isinstance(m, Noted) and "checkpoint" in m.facts]
    (note,) = [facts["checkpoint"] for facts in notes]
    assert "damaged" in note and "trained again" in note
    assert_continues(second, undisturbed(fast))


def refusal(said: list[Any]) -> str:
    (failed,) = [m for m in said if isinstance(m, Failed)]
    assert not [m for m in said if isinstance(m, Reported)]
    assert failed.failure.kind == "refused"
    return failed.failure.message


def test_a_state_that_is_gone_is_refused():
    rig = Rig(build)
    rig.start(1)
    text = refusal(rig.fork(4, FORK, (0, AT)))
    assert text.endswith("from the state of trial 0 after epoch 2, whose checkpoint is gone.")


@pytest.mark.parametrize("again", [False, True])
def test_another_architecture_is_refused(again):
    rig = Rig(build)
    rig.start(AT, units=4)
    text = refusal(rig.fork(4, FORK, (0, AT), again, units=8))
    assert "trial 0 after epoch 2" in text and "same layers and the same optimizer" in text


def test_a_damaged_state_is_refused():
    rig = Rig(build)
    rig.start(AT)
    rig.blobs.put(checkpoint_key(0, 0, AT), b"cut sh")
    assert "damaged" in refusal(rig.fork(4, FORK, (0, AT)))


def test_an_error_of_build_model_is_not_taken_for_a_damaged_checkpoint():
    def fails(hp: Any) -> keras.Model:
        if hp.Float("rate", 1e-3, 1e-1, default=1e-2) > 0.05:
            raise ValueError("the rate is too high")
        return build(hp)

    rig = Rig(fails)
    rig.start(AT)
    (failed,) = [m for m in rig.fork(4, FORK, (0, AT), rate=0.08) if isinstance(m, Failed)]
    assert failed.failure.kind == "build" and "the rate is too high" in failed.failure.message


def test_states_stay_only_as_long_as_they_can_be_asked_for():
    rig = Rig(build, settings={"max_epochs": 9, "checkpoint_every": 0.0})
    rig.start(AT)
    kept = [{key for key in rig.blobs.stored() if "best" not in key}]
    rig.fork(4, FORK, (0, AT))
    rig.resume(5)
    kept.append({key for key in rig.blobs.stored("0") if "best" not in key})
    kept.append({key for key in rig.blobs.stored(str(FORK)) if "best" not in key})
    rig.resume(7)
    kept.append({key for key in rig.blobs.stored("0") if "best" not in key})
    assert kept == [
        {checkpoint_key(0, 0, 2)},
        # Where a job began stays until the next one has begun.
        {checkpoint_key(0, 0, 2), checkpoint_key(0, 0, 5)},
        {origin_key(FORK), checkpoint_key(FORK, 0, 4)},
        {checkpoint_key(0, 0, 5), checkpoint_key(0, 0, 7)},
    ]
    rig.runner.free(FORK)
    assert all("best" in key for key in rig.blobs.stored(str(FORK)))


class Slow(keras.callbacks.Callback):
    """Makes epochs long enough to be killed in."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        time.sleep(0.4)


@pytest.mark.parametrize(
    ("loop", "kills"),
    [
        pytest.param("compiled", (3,), marks=pytest.mark.slow),
        pytest.param("compiled", (3, 5), marks=pytest.mark.slow),
        pytest.param("plain", (3, 5), marks=pytest.mark.slow),
    ],
)
def test_in_worker_processes_and_after_a_kill(loop, kills, tmp_path):
    """The fork's worker is killed before its first checkpoint, and again after it."""
    fast = LOOPS[loop]
    maker, blobs = ModelBuilder(build), FileBlobs(tmp_path)
    space = maker.discover(0)
    settings = Settings(OBJECTIVE, 0, 9, 1, fast, 10**9, checkpoint_every=0.0)
    factory = RunnerFactory(
        maker, space, RunData([fit_data()]), (Slow(),), settings, blobs, KerasSettings.current()
    )
    environment = {"KERAS_BACKEND": keras.backend.backend()}
    transport = ProcessTransport(factory, [Place((), 1)], environment)
    driver = Driver(WorkerPool(transport, blobs=blobs))
    config = space.default()
    try:
        driver.executor.submit([WorkItem(Start(0, config, AT), config, AT)])
        driver.drain()
        driver.executor.submit([WorkItem(Fork(FORK, 0, AT, config, 6), config, 6)])
        driver.executor.decide(0, Decision.STOP)
        for epoch in kills:
            driver.until(lambda epoch=epoch: epoch in driver.epochs(FORK))
            (pid,) = driver.executor.assigned
            os.kill(pid, signal.SIGKILL)
            driver.until(lambda pid=pid: pid not in driver.executor.assigned)
        driver.drain()
    finally:
        driver.executor.close()
    assert driver.end(FORK) == Reached(FORK)
    reference = Rig(build, settings={"fast": fast, "max_epochs": 9})
    reference.start(6)
    found = {
        m.report.epoch: dict(m.report.metrics)
        for m in driver.messages
        if isinstance(m, Reported) and m.trial == FORK
    }
    theirs = epochs(reference, 0)
    assert found == {epoch: theirs[epoch] for epoch in (3, 4, 5, 6)}
