"""Activations exchanged in a traced loop on TensorFlow: the values of a trace with each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.training.build import build_all
from kerashpo.training.data import FitData
from kerashpo.training.loops.base import TrainingLoop
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.training.loops.model_fit import FitLoop
from kerashpo.training.randomness import EpochKeys, seeded_build

if keras.backend.backend() != "tensorflow":
    pytest.skip("activations are exchanged in graphs of TensorFlow", allow_module_level=True)

from kerashpo.training.loops.compiled.tensorflow import graphs
from kerashpo.training.loops.compiled.tensorflow.activations import KERNELS, switched_activations_of

layers = keras.layers
Build = Callable[[str, str], keras.Model]
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 2, 40).astype("float32")
ROWS = RNG.normal(size=(40, 6)).astype("float32")
IMAGES = RNG.normal(size=(40, 6, 6, 1)).astype("float32")


def compiled(*parts: Any) -> keras.Model:
    model = keras.Sequential([*parts, layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    return model


def dense(first: str, second: str) -> keras.Model:
    penalty = keras.regularizers.L2(0.01)
    return compiled(
        keras.Input((6,)),
        layers.Dense(7, first, activity_regularizer="l1"),
        layers.Dropout(0.3),
        layers.Dense(5, second, kernel_regularizer=penalty),
    )


def wide(first: str, second: str) -> keras.Model:
    parts = [keras.Input((6,)), layers.Dense(300, first), layers.Dense(300, second)]
    return compiled(*parts)


def convolution(first: str, second: str) -> keras.Model:
    return compiled(
        keras.Input((6, 6, 1)),
        layers.Conv2D(4, 3, use_bias=False),
        layers.BatchNormalization(),
        layers.Activation(first),
        layers.Conv2D(3, 3, activation=second),
        layers.Flatten(),
        layers.Dropout(0.2),
        layers.Dense(4, first),
    )


def data(build: Build) -> FitData:
    x = IMAGES if build is convolution else ROWS
    return FitData.from_fit(x, LABELS, batch_size=8, validation_split=0.2)


def train(
    loop: TrainingLoop, model: keras.Model, rows: FitData, span: tuple[int, int] = (1, 3)
) -> tuple[list[dict], list[np.ndarray]]:
    logs: list[dict] = []
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda _, found: logs.append(dict(found)))
    loop.train(model, rows, *span, [keep], EpochKeys(0, 0))
    return logs, model.get_weights()


def make(build: Build, first: str, second: str) -> keras.Model:
    with seeded_build(0, 0):
        return build(first, second)


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The graphs that were traced."""
    names: list[str] = []
    for name in ("trace_training", "trace_testing", "trace_predicting"):
        stock = getattr(graphs, name)

        def noting(*arguments: Any, stock: Any = stock) -> Any:
            names.append(stock.__name__)
            return stock(*arguments)

        noting.__name__ = name
        monkeypatch.setattr(graphs, name, noting)
    yield names


PAIRS = [(name, other) for name, other in zip(KERNELS, [*list(KERNELS)[3:], *list(KERNELS)[:3]])]


@pytest.mark.parametrize("build", [dense, wide, convolution])
def test_exchanged_activations_give_bit_for_bit_what_a_trace_with_them_gives(
    build: Build, traced: list[str]
) -> None:
    rows, shared = data(build), CompiledLoop()
    for pair in [*PAIRS, PAIRS[0]]:
        logs, weights = train(shared, make(build, *pair), rows)
        before = len(traced)
        own_logs, own = train(CompiledLoop(), make(build, *pair), rows)
        assert logs == own_logs and len(traced) == before + 2
        for mine, their in zip(weights, own, strict=True):
            np.testing.assert_array_equal(mine, their)
    alone = 2 * (len(PAIRS) + 1)
    assert shared.engine.shared_graphs == 1 and len(traced) == alone + 2


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_exchanged_activations_are_trained_as_by_fit(pair: tuple[str, str]) -> None:
    rows, shared = data(dense), CompiledLoop()
    train(shared, make(dense, "sigmoid", "relu"), rows)
    ours = train(shared, make(dense, *pair), rows)
    theirs = train(FitLoop(), make(dense, *pair), rows)
    for mine, their in zip(ours[0], theirs[0], strict=True):
        assert mine == pytest.approx(their, abs=2e-5)
    for mine, their in zip(ours[1], theirs[1], strict=True):
        np.testing.assert_allclose(mine, their, atol=2e-5)


def test_a_training_that_is_taken_up_again_keeps_its_activations() -> None:
    rows, shared = data(dense), CompiledLoop()
    whole, _ = train(CompiledLoop(), make(dense, "tanh", "elu"), rows, (1, 4))
    model = make(dense, "tanh", "elu")
    first, _ = train(shared, model, rows, (1, 2))
    train(shared, make(dense, "relu", "relu"), rows)
    assert first + train(shared, model, rows, (3, 4))[0] == whole
    x, y = ROWS[:9], LABELS[:9]
    assert shared.evaluate(model, x, y)["loss"] == pytest.approx(
        model.evaluate(x, y, verbose=0)[0], abs=1e-6
    )
    other = make(dense, "relu", "relu")
    build_all(other, rows)
    for one in (model, other):
        np.testing.assert_allclose(
            shared.predict(one, x), one.predict(x, verbose=0), atol=1e-6, rtol=1e-6
        )


def test_which_activations_are_exchanged() -> None:
    nested = keras.Sequential([keras.Input((7,)), layers.Dense(3, "relu", name="same")])
    twice = layers.Dense(7, "relu")
    inputs = keras.Input((7,))
    x = twice(twice(inputs))
    x = layers.Dense(7, "gelu")(x)
    x = layers.Dense(7, "tanh", name="same")(x)
    x = nested(layers.Activation("selu")(x))
    model = keras.Model(inputs, layers.Activation("sigmoid")(layers.Dense(1, "relu")(x)))
    found = [(type(layer).__name__, name) for layer, name in switched_activations_of(model)]
    assert found == [("Dense", "tanh"), ("Activation", "selu")]


def test_layers_of_one_name_keep_their_activations_apart() -> None:
    def named(inner: str, outer: str) -> keras.Model:
        nested = keras.Sequential([keras.Input((5,)), layers.Dense(4, inner, name="same")])
        inputs = keras.Input((6,))
        x = nested(layers.Dense(5, outer, name="same")(inputs))
        model = keras.Model(inputs, layers.Dense(1, "sigmoid")(x))
        model.compile("adam", "binary_crossentropy")
        return model

    rows, shared = data(dense), CompiledLoop()
    for pair in [("relu", "tanh"), ("tanh", "tanh"), ("tanh", "relu")]:
        ours = train(shared, make(named, *pair), rows)[0]
        assert ours == train(CompiledLoop(), make(named, *pair), rows)[0]


def test_graphs_of_many_activations_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from kerashpo.training.loops.compiled.tensorflow import traces

    monkeypatch.setattr(traces, "_MOST_GRAPHS", 4)
    rows, shared = data(dense), CompiledLoop()
    for pair in PAIRS:
        model = make(dense, *pair)
        assert train(shared, model, rows) is not None
        assert len(shared.engine.trace(model)._loops) <= 4
    logs = train(shared, make(dense, *PAIRS[0]), rows)[0]
    assert logs == train(CompiledLoop(), make(dense, *PAIRS[0]), rows)[0]
