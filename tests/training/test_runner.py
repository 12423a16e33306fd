"""The runner: trials that pause, come back, fail and end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pytest

import kerashpo as kt
from kerashpo.core.errors import UnusableResult
from kerashpo.core.events import Configured, Ended, Noted, Reached, Reported, SpaceGrown
from kerashpo.core.limits import Limit
from kerashpo.core.records import Decision, Objective
from kerashpo.core.trial import Trial
from kerashpo.executors.failures import classify
from kerashpo.executors.messages import Failed
from kerashpo.store.blobs import FileBlobs, MemoryBlobs, best_key, checkpoint_key
from kerashpo.training.hypermodel import ModelBuilder, load_model
from kerashpo.training.settings import Derived
from tests.helpers.training_rig import OBJECTIVE, VALIDATION, Rig, build

LOOPS = [False, "auto"]
#: For what happens before a loop comes into play: `compiled` is enough for every day.
MAINLY_COMPILED = pytest.mark.parametrize(
    "uninterrupted",
    [pytest.param(False, marks=pytest.mark.slow, id="plain"), pytest.param("auto", id="compiled")],
    indirect=True,
)


def equal(one: Sequence[np.ndarray], two: Sequence[np.ndarray]) -> bool:
    return len(one) == len(two) and all(np.array_equal(a, b) for a, b in zip(one, two))


@pytest.fixture(scope="module", params=LOOPS, ids=["plain", "compiled"])
def uninterrupted(request: pytest.FixtureRequest) -> tuple[Any, Rig]:
    rig = Rig(settings={"fast": request.param})
    rig.start(4)
    return request.param, rig


def assert_same(rig: Rig, whole: Rig) -> None:
    assert [r.epoch for r in rig.reports] == [1, 2, 3, 4]
    assert rig.curve == whole.curve
    for mine, theirs in zip(rig.state(), whole.state()):
        assert equal(mine, theirs)
    assert int(rig.live().model.optimizer.iterations.numpy()) == 4 * 3


def test_kept_in_memory(uninterrupted):
    fast, whole = uninterrupted
    rig = Rig(settings={"fast": fast})
    for until, job in ((1, rig.start), (3, rig.resume), (4, rig.resume)):
        assert isinstance(job(until)[-1], Reached)
    assert_same(rig, whole)


@MAINLY_COMPILED
def test_evicted_to_its_checkpoint(uninterrupted):
    fast, whole = uninterrupted
    rig = Rig(settings={"fast": fast, "keep_in_memory": 0})
    rig.start(2)
    before = rig.live().model
    rig.start(1, trial=1, units=5)
    assert list(rig.runner._memory._states) == [(1, 0)]
    rig.messages.clear()
    first = whole.curve[:2]
    rig.resume(4)
    assert rig.live().model is not before
    assert first + rig.curve == whole.curve
    for mine, theirs in zip(rig.state(), whole.state()):
        assert equal(mine, theirs)


def test_continued_by_another_process(uninterrupted, tmp_path):
    fast, whole = uninterrupted
    first = Rig(settings={"fast": fast}, blobs=FileBlobs(tmp_path))
    first.start(2)
    second = Rig(settings={"fast": fast}, blobs=FileBlobs(tmp_path))
    second.messages = first.messages
    second.resume(4)
    assert_same(second, whole)


@MAINLY_COMPILED
def test_paused_by_the_answer_to_an_epoch(uninterrupted):
    fast, whole = uninterrupted

    def pause(message: Any) -> Decision:
        late = isinstance(message, Reported) and message.report.epoch == 2
        return Decision.PAUSE if late else Decision.CONTINUE

    rig = Rig(settings={"fast": fast}, answer=pause)
    said = rig.start(4)
    assert isinstance(said[-1], Reported) and said[-1].report.epoch == 2
    assert rig.blobs.get(checkpoint_key(0, 0, 2)) is not None
    rig.answer = lambda message: Decision.CONTINUE
    assert isinstance(rig.resume(4)[-1], Reached)
    assert_same(rig, whole)


@MAINLY_COMPILED
def test_a_damaged_checkpoint_costs_time_only(uninterrupted):
    fast, whole = uninterrupted
    blobs = MemoryBlobs()
    Rig(settings={"fast": fast}, blobs=blobs).start(2)
    whole_file = blobs.get(checkpoint_key(0, 0, 2))
    blobs.put(checkpoint_key(0, 0, 2), whole_file[: len(whole_file) // 2])
    rig = Rig(settings={"fast": fast}, blobs=blobs)
    said = rig.resume(4)
    notes = [m.facts for m in said if isinstance(m, Noted) and "checkpoint" in m.facts]
    assert len(notes) == 1
    assert "damaged" in notes[0]["checkpoint"] and "trained again" in notes[0]["checkpoint"]
    assert_same(rig, whole)


@MAINLY_COMPILED
def test_a_checkpoint_that_is_gone_is_trained_again(uninterrupted):
    fast, whole = uninterrupted
    rig = Rig(settings={"fast": fast})
    rig.resume(4)
    assert_same(rig, whole)


def test_both_loops_are_noted():
    kinds = {}
    for fast in LOOPS:
        rig = Rig(settings={"fast": fast})
        (note,) = (m for m in rig.start(1) if isinstance(m, Noted))
        kinds[fast] = note.facts["training"]
    assert kinds == {False: "plain", "auto": "compiled"}


def test_the_weights_of_the_best_epoch_are_kept():
    rig = Rig(settings={"max_epochs": 3})
    rig.start(3)
    record = Trial(0, rig.space.default(), OBJECTIVE)
    for report in rig.reports:
        record.add(report)
    model = load_model(ModelBuilder(build), rig.space, 0, record, rig.blobs)
    found = model.evaluate(*VALIDATION, batch_size=16, verbose=0, return_dict=True)
    best = record.best_report.metrics
    assert found["loss"] == pytest.approx(best["val_loss"], rel=1e-6)
    assert found["accuracy"] == pytest.approx(best["val_accuracy"])


def test_weights_that_were_not_kept_say_what_to_do():
    rig = Rig()
    record = Trial(0, rig.space.default(), OBJECTIVE)
    with pytest.raises(ValueError, match="were not kept.*get_best_hyperparameters"):
        load_model(ModelBuilder(build), rig.space, 0, record, rig.blobs)


def nan_loss(epochs: Any) -> type[keras.callbacks.Callback]:
    class Nan(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epochs is None or epoch in epochs:
                logs["val_loss"] = float("nan")

    return Nan


def test_nan_in_the_first_epoch_is_borne():
    rig = Rig(callbacks=[nan_loss([0])()])
    assert isinstance(rig.start(2)[-1], Reached)
    assert np.isnan(rig.curve[0]["val_loss"]) and np.isfinite(rig.curve[1]["val_loss"])
    assert rig.live().best.epoch == 2


def test_always_nan_fails():
    rig = Rig(callbacks=[nan_loss(None)()])
    (failed,) = (m for m in rig.start(2) if isinstance(m, Failed))
    assert failed.failure.kind == "nan"
    assert "val_loss was never finite" in failed.failure.message


def test_an_objective_that_nothing_logs_ends_the_search_and_is_named():
    rig = Rig(settings={"objective": Objective("val_acuracy", "max")})
    with pytest.raises(UnusableResult, match="'val_acuracy'.*Did you mean 'val_accuracy'"):
        rig.start(1)


def test_a_build_that_raises_fails_its_trial_only():
    def fragile(hp: Any) -> keras.Model:
        if hp.Int("units", 4, 16) == 13:
            raise RuntimeError("thirteen units")
        return build(hp)

    rig = Rig(fragile)
    (failed,) = rig.start(1, units=13)
    assert failed.failure.kind == "build"
    assert failed.failure.message == "RuntimeError: thirteen units"
    assert "fragile" in failed.failure.traceback
    assert isinstance(rig.start(1, trial=1, units=5)[-1], Reached)


def test_a_fit_that_raises_is_distinguished():
    class Broken(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            raise OSError("disk full")

    (failed,) = (m for m in Rig(callbacks=[Broken()]).start(1) if isinstance(m, Failed))
    assert (failed.failure.kind, failed.failure.message) == ("fit", "OSError: disk full")


def test_memory_is_a_kind_of_its_own():
    assert classify("fit", MemoryError("no room")).kind == "memory"
    exhausted = type("ResourceExhaustedError", (Exception,), {})
    assert classify("build", exhausted("OOM")).kind == "memory"
    xla = type("XlaRuntimeError", (Exception,), {})
    assert classify("fit", xla("RESOURCE_EXHAUSTED: out of memory")).kind == "memory"
    assert classify("fit", xla("INVALID_ARGUMENT")).kind == "fit"
    assert classify("fit", ValueError("")).message == "ValueError: "


def test_max_model_size():
    bound = Limit(kt.objectives.size(), 40.0, "max_model_size")
    derived = Derived((bound.objective,))
    rig = Rig(settings={"limits": (bound,), "derived": derived})
    (failed,) = (m for m in rig.start(1, units=16) if isinstance(m, Failed))
    assert failed.failure.kind == "limit"
    assert failed.failure.message == "size is 97, but at most 40 is allowed (max_model_size)."
    assert isinstance(rig.start(1, trial=1, units=4)[-1], Reached)


def test_two_runs_differ_and_both_are_reported():
    rig = Rig(settings={"runs": 2})
    said = rig.start(2)
    assert [(r.run, r.epoch) for r in rig.reports] == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert rig.curve[:2] != rig.curve[2:]
    assert sum(isinstance(m, Reached) for m in said) == 1
    assert rig.blobs.get(best_key(0, 0)) is not None
    assert rig.blobs.get(best_key(0, 1)) is not None


def test_freed_trials_leave_no_checkpoint():
    rig = Rig()
    rig.start(1)
    rig.runner.free(0)
    assert rig.blobs.stored() == (best_key(0),)
    assert not rig.runner._memory._states


def test_values_that_discovery_could_not_see_are_drawn_and_reported():
    def growing(hp: Any) -> keras.Model:
        rate = hp.Float("rate", 0.0, 1.0, step=0.01)
        if 0.3 < rate < 0.9:
            hp.Int("hidden", 0, 10**6)
        return build(hp)

    rig = Rig(growing)
    assert "hidden" not in rig.space.names
    draws = set()
    for trial in range(3):
        messages = rig.start(1, trial=trial, rate=0.5)
        (configured,) = (m for m in messages if isinstance(m, Configured))
        draws.add(configured.values["hidden"])
        grown = [p["name"] for m in messages if isinstance(m, SpaceGrown) for p in m.params]
        assert grown == (["hidden"] if trial == 0 else [])
    assert len(draws) == 3 and 0 not in draws


def test_checkpoints_are_written_while_training():
    rig = Rig(settings={"checkpoint_every": 0.0})
    seen = []

    def note(message: Any) -> Decision:
        if isinstance(message, Reported):
            seen.append(any("checkpoint" in key for key in rig.blobs.stored("0")))
        return Decision.CONTINUE

    rig.answer = note
    rig.start(2)
    # That of an epoch is written once its report is in the log.
    assert seen == [False, True]


def test_early_stopping_completes():
    stop = keras.callbacks.EarlyStopping("val_loss", patience=0, min_delta=10.0)
    rig = Rig(callbacks=[stop])
    said = rig.start(4)
    assert isinstance(said[-1], Ended) and said[-1].reason == "early stopping"
    assert len(rig.reports) == 2


def test_early_stopping_at_a_rung_completes_too():
    """An uninterrupted trial would not have gone on either."""
    stop = keras.callbacks.EarlyStopping("val_loss", patience=0, min_delta=10.0)
    rig = Rig(callbacks=[stop])
    assert isinstance(rig.start(2)[-1], Ended)


def test_one_stopped_early_while_it_was_paused_stays_stopped(tmp_path):
    stop = keras.callbacks.EarlyStopping("val_loss", patience=0, min_delta=10.0)
    second = Rig(callbacks=[stop], blobs=FileBlobs(tmp_path), answer=_pause_at(2))
    assert isinstance(second.start(4)[-1], Reported)
    third = Rig(callbacks=[stop], blobs=FileBlobs(tmp_path))
    assert isinstance(third.resume(4)[-1], Ended)
    assert third.reports == []


def _pause_at(epoch: int) -> Any:
    def answer(message: Any) -> Decision:
        reached = isinstance(message, Reported) and message.report.epoch >= epoch
        return Decision.PAUSE if reached else Decision.CONTINUE

    return answer


def test_closing_closes_the_training_loops(monkeypatch: pytest.MonkeyPatch):
    rig = Rig(settings={"fast": "auto"})
    rig.start(1)
    closed: list[str] = []
    for kind, loop in rig.runner._loops.items():
        monkeypatch.setattr(loop, "close", lambda kind=kind: closed.append(kind))
    rig.runner.close()
    assert closed == list(rig.runner._loops) and "compiled" in closed
