"""`tf.data` pipelines are read within the graph of an epoch, and train as `fit` does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.training.data import FitData
from kerashpo.training.loops.base import TrainingLoop, choose
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.training.loops.model_fit import FitLoop
from kerashpo.training.randomness import EpochKeys, seeded_build

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="other backends read no tf.data in a graph"
)
ROWS = np.random.default_rng(0).normal(size=(45, 6)).astype("float32")
LABELS = (ROWS[:, 0] > 0).astype("float32")


def source() -> Any:
    return tf.data.Dataset.from_tensor_slices((ROWS, LABELS))


def make(trial: int, width: int = 4, **compiling: Any) -> keras.Model:
    with seeded_build(0, trial):
        hidden = [keras.layers.Dense(width, "tanh"), keras.layers.Dropout(0.3)]
        last = keras.layers.Dense(1, "sigmoid")
        model = keras.Sequential([keras.Input((6,)), *hidden, last])
        given = {"metrics": ["accuracy"], "jit_compile": False, **compiling}
        model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", **given)
    return model


def curve(loop: TrainingLoop, model: keras.Model, data: FitData) -> list[dict[str, float]]:
    logs: list[dict[str, float]] = []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda _, received: logs.append(dict(received))
    )
    loop.train(model, data, 1, 4, [keep], EpochKeys(0, 0))
    return logs


PIPELINES: dict[str, Callable[[], dict[str, Any]]] = {
    "shuffled anew in each epoch": lambda: {"x": source().shuffle(45, seed=3).batch(8)},
    "shuffled before a cache": lambda: {"x": source().shuffle(45, seed=3).cache().batch(8)},
    "repeated, with steps": lambda: {
        "x": source().shuffle(45, seed=3).repeat().batch(8),
        "steps_per_epoch": 3,
        "validation_data": source().batch(8).repeat(),
        "validation_steps": 2,
    },
    "mapped by chance": lambda: {
        "x": source().map(lambda x, y: (x + tf.random.normal([6], seed=5), y)).batch(9),
        "validation_data": source().shuffle(45, seed=4).batch(7),
    },
}


@pytest.mark.parametrize("name", PIPELINES)
def test_the_batches_of_an_epoch_are_those_of_fit(name: str) -> None:
    found = []
    for loop in (CompiledLoop(), FitLoop()):
        tf.random.set_seed(1)
        data = FitData.from_fit(**PIPELINES[name]())
        assert choose("auto", make(0), data, [])[0] == "compiled"
        # The same pipeline for several trials, as in a search: each iterator draws a new order.
        found.append([curve(loop, make(trial), data) for trial in (0, 1)])
    for ours, theirs in zip(*found, strict=True):
        assert [set(one) for one in ours] == [set(one) for one in theirs]
        for mine, their in zip(ours, theirs, strict=True):
            assert mine == pytest.approx(their, abs=2e-5)
    assert len({one["loss"] for trial in found[0] for one in trial}) == 8


def test_widths_share_a_trace_of_a_pipeline() -> None:
    loop = CompiledLoop()
    for trial, width in enumerate((4, 9)):
        data = FitData.from_fit(source().batch(8), validation_data=source().batch(8))
        ours = curve(loop, make(trial, width), data)
        assert ours == curve(CompiledLoop(), make(trial, width), data)
    assert loop.engine.shared_graphs == 1


class OwnStep(keras.Sequential):
    def train_step(self, data: Any) -> Any:
        return super().train_step(data)


def own_step(trial: int) -> keras.Model:
    model = OwnStep([keras.Input((6,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize(
    ("data", "build", "callbacks", "why"),
    [
        ({"x": source().batch(8)}, own_step, [], "the model has a train_step of its own"),
        ({"x": source().batch(8).repeat()}, make, [], "does not know its number of batches"),
        (
            {"x": source().batch(8)},
            make,
            [keras.callbacks.TerminateOnNaN()],
            "TerminateOnNaN listens to batches",
        ),
        (
            {"x": source().batch(8)},
            lambda trial: make(trial, steps_per_execution=2),
            [],
            "several steps at a time",
        ),
    ],
)
def test_other_pipelines_go_to_fit(data: Any, build: Any, callbacks: Any, why: str) -> None:
    kind, reason = choose("auto", build(0), FitData.from_fit(**data), callbacks)
    assert kind == "plain"
    assert why in reason
