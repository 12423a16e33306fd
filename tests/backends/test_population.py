"""Populations: models of one shape that are trained as one program, on JAX."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.core.events import Noted, Reached, Reported
from kerashpo.core.records import Decision, Fork, Resume, Start
from kerashpo.executors.messages import Failed, WorkItem
from kerashpo.training.loops.compiled import CompiledLoop
from tests.helpers.training_rig import Rig

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="populations are trained as one program on JAX"
)
SIZE, UNTIL = 4, 4
VALUES = [
    {"rate": 1e-3, "drop": 0.3},
    {"rate": 1e-2, "drop": 0.0},
    {"rate": 3e-2, "drop": 0.5, "l2": 1e-2},
]


def build(hp: Any) -> keras.Model:
    """Adam, dropout, batch normalisation, a penalty: state and randomness in every step."""
    penalty = keras.regularizers.L2(hp.Float("l2", 0.0, 0.1, default=1e-4))
    layers = [
        keras.Input((4,)),
        keras.layers.Dense(hp.Int("units", 4, 16), "relu", kernel_regularizer=penalty),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(hp.Float("drop", 0.0, 0.5, default=0.3)),
        keras.layers.GaussianNoise(0.1),
        keras.layers.Dense(1, "sigmoid"),
    ]
    model = keras.Sequential(layers)
    adam = keras.optimizers.Adam(hp.Float("rate", 1e-3, 1e30, default=1e-2))
    model.compile(adam, "binary_crossentropy", metrics=["accuracy"])
    return model


def rig(size: int = SIZE, **options: Any) -> Rig:
    return Rig(build, population=size, **options)


def train(rig: Rig, values: list[dict[str, float]] = VALUES, until: int = UNTIL) -> Rig:
    rig.together(*(rig.item(Start, i, until, **each) for i, each in enumerate(values)))
    return rig


@pytest.fixture(scope="module")
def population() -> Rig:
    return train(rig())


def same(one: Rig, other: Rig, trial: int = 0, as_trial: int | None = None) -> bool:
    """Whether a trial has the same curve, weights, optimizer and best weights, bit for bit."""
    there = trial if as_trial is None else as_trial
    curves = one.curve_of(trial) == other.curve_of(there)
    pairs = [*zip(one.state(trial), other.state(there), strict=True)]
    pairs.append((one.live(trial).best_weights, other.live(there).best_weights))
    return curves and all(
        np.array_equal(a, b) for mine, others in pairs for a, b in zip(mine, others, strict=True)
    )


def test_members_are_trained_as_one_program_and_each_reports_in_order(population):
    for trial in range(len(VALUES)):
        assert list(population.curve_of(trial)) == [1, 2, 3, 4]
    epochs = [r.epoch for r in population.reports]
    assert epochs == sorted(epochs)  # an epoch of each in turn
    facts = [m.facts for m in population.messages if isinstance(m, Noted)]
    assert [f["training"] for f in facts] == ["population"] * len(VALUES)
    assert [m.trial for m in population.messages if isinstance(m, Reached)] == [0, 1, 2]


def test_values_differ_from_those_of_a_member_trained_alone_in_the_last_bits_only(population):
    alone = train(Rig(build))
    for trial in range(len(VALUES)):
        for epoch, metrics in population.curve_of(trial).items():
            for name, value in alone.curve_of(trial)[epoch].items():
                assert metrics[name] == pytest.approx(value, rel=1e-4, abs=1e-6), (trial, name)
        for mine, others in zip(population.state(trial)[0], alone.state(trial)[0], strict=True):
            np.testing.assert_allclose(mine, others, rtol=2e-3, atol=2e-5)
        kept = zip(population.live(trial).best_weights, alone.live(trial).best_weights, strict=True)
        assert population.live(trial).best.epoch == alone.live(trial).best.epoch
        for mine, others in kept:
            np.testing.assert_allclose(mine, others, rtol=2e-3, atol=2e-5)


def test_a_member_does_not_depend_on_how_many_there_are(population):
    only = rig()
    only.together(only.item(Start, 1, UNTIL, **VALUES[1]))
    assert same(population, only, 1)
    # Five members need two programs of four places.
    assert same(population, train(rig(), [*VALUES, *VALUES]), 1)


def test_a_member_that_is_paused_and_resumed_gives_the_same(population):
    def answer(message: Any) -> Decision:
        early = isinstance(message, Reported) and (message.trial, message.report.epoch) == (1, 2)
        return Decision.PAUSE if early else Decision.CONTINUE

    first = train(rig(answer=answer))
    assert list(first.curve_of(1)) == [1, 2] and same(first, population, 0)
    second = rig(blobs=first.blobs)
    # One was at epoch 2, one is new: members may be at different epochs.
    second.together(second.item(Resume, 1, UNTIL, **VALUES[1]), second.item(Start, 5, 2))
    assert second.curve_of(1) == {e: population.curve_of(1)[e] for e in (3, 4)}
    assert list(second.curve_of(5)) == [1, 2]
    assert all(map(np.array_equal, second.state(1)[0], population.state(1)[0]))


def test_checkpoints_within_a_job_hold_the_member_s_state(population):
    interrupted = rig(settings={"checkpoint_every": 0.0})
    kill = iter([False] * 7 + [True])

    def answer(message: Any) -> Decision:
        if isinstance(message, Reported) and next(kill):
            raise KeyboardInterrupt
        return Decision.CONTINUE

    interrupted.answer = answer
    with pytest.raises(KeyboardInterrupt):
        train(interrupted)
    again = rig(blobs=interrupted.blobs)
    items = [again.item(Resume, i, UNTIL, **each) for i, each in enumerate(VALUES)]
    again.together(*items)
    for trial in range(len(VALUES)):
        assert 1 not in again.curve_of(trial)  # not from the start
        known = population.curve_of(trial)
        assert again.curve_of(trial) == {e: known[e] for e in again.curve_of(trial)}
        assert all(map(np.array_equal, again.state(trial)[0], population.state(trial)[0]))
        kept = again.live(trial).best_weights, population.live(trial).best_weights
        assert all(map(np.array_equal, *kept))


def test_a_fork_with_unchanged_values_equals_its_uninterrupted_parent(population):
    parent = train(rig(), until=2)
    jobs = [Resume(0, UNTIL), Fork(7, 0, 2, parent.space.complete(VALUES[0]), UNTIL)]
    changed = parent.space.complete({**VALUES[0], "rate": 1e-2})
    configs = [parent.space.complete(VALUES[0])] * 2
    items = [WorkItem(job, c, UNTIL) for job, c in zip(jobs, configs, strict=True)]
    parent.together(*items, WorkItem(Fork(8, 0, 2, changed, UNTIL), changed, UNTIL))
    assert parent.curve_of(7) == {e: population.curve_of(0)[e] for e in (3, 4)}
    assert all(map(np.array_equal, parent.state(7)[1], population.state(0)[1]))
    assert parent.curve_of(8) != parent.curve_of(7)
    assert float(parent.live(8).model.optimizer.learning_rate.numpy()) == np.float32(1e-2)


def test_a_member_whose_loss_is_not_finite_fails_alone(population):
    mixed = train(rig(), [*VALUES, {"rate": 1e30}])
    failed = [m for m in mixed.messages if isinstance(m, Failed)]
    assert [(m.trial, m.failure.kind) for m in failed] in ([], [(3, "nan")])
    assert not np.isfinite(mixed.curve_of(3)[UNTIL]["loss"])
    for trial in range(len(VALUES)):
        assert same(population, mixed, trial)


def test_a_member_that_cannot_be_built_or_ends_early_leaves_the_others(population):
    def fails(hp: Any) -> keras.Model:
        if hp.get("units") == 5:
            raise ValueError("no five units")
        return build(hp)

    def wrapped(hp: Any) -> keras.Model:
        hp.Int("units", 4, 16)
        return fails(hp)

    stops = lambda m: (
        Decision.STOP if isinstance(m, Reported) and m.trial == 2 else Decision.CONTINUE
    )
    mixed = Rig(wrapped, population=SIZE, answer=stops)
    train(mixed, [VALUES[0], {"units": 5}, VALUES[2]])
    assert [m.trial for m in mixed.messages if isinstance(m, Failed)] == [1]
    assert list(mixed.curve_of(2)) == [1]
    assert mixed.curve_of(0) == population.curve_of(0)


def test_shapes_are_trained_apart_and_members_with_callbacks_one_by_one(population):
    apart = train(rig(), [VALUES[0], {**VALUES[1], "units": 8}])
    assert apart.curve_of(0) == population.curve_of(0)
    stopping = keras.callbacks.EarlyStopping(patience=9)
    single = train(rig(callbacks=[stopping]), VALUES[:1], until=1)
    facts = [m.facts["training"] for m in single.messages if isinstance(m, Noted)]
    assert facts == ["compiled"]


def test_a_program_that_cannot_run_is_left_for_one_by_one(monkeypatch):
    def refuse(*arguments: Any) -> None:
        raise RuntimeError("RESOURCE_EXHAUSTED: too large together")

    monkeypatch.setattr(CompiledLoop, "open_population", refuse)
    left = train(rig())
    assert all(list(left.curve_of(trial)) == [1, 2, 3, 4] for trial in range(len(VALUES)))
    said = [m.facts for m in left.messages if isinstance(m, Noted)]
    assert any("too large together" in facts["training_reason"] for facts in said)
