"""Recurrent layers of open widths: one trace for many numbers of units, the values of `fit`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from kerashpo.training.build import build_all
from kerashpo.training.data import FitData
from kerashpo.training.loops.base import TrainingLoop
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.training.loops.compiled.signature import structure_of
from kerashpo.training.loops.model_fit import FitLoop
from kerashpo.training.randomness import EpochKeys, seeded_build

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="JAX compiles for exact shapes"
)
RNG = np.random.default_rng(0)
SERIES = RNG.normal(size=(30, 5, 3)).astype("float32")
LABELS = (SERIES[:, -1, 0] > 0).astype("float32")
DATA = FitData.from_fit(SERIES, LABELS, batch_size=8, validation_split=0.2)
Layers = Callable[[int], list[Any]]


def gru(width: int) -> list[Any]:
    return [layers.GRU(width)]


def lstm(width: int) -> list[Any]:
    return [layers.LSTM(width, use_bias=False), layers.Dropout(0.2), layers.Dense(width, "relu")]


def simple(width: int) -> list[Any]:
    return [layers.SimpleRNN(width, "relu", go_backwards=True)]


def stacked(width: int) -> list[Any]:
    first = layers.GRU(width, return_sequences=True, use_bias=False, kernel_regularizer="l2")
    return [layers.Conv1D(width, 2), first, layers.LSTM(width + 1, unroll=True)]


def relu_gates(width: int) -> list[Any]:
    return [layers.GRU(width, activation="relu", recurrent_activation="hard_sigmoid")]


def make(parts: Layers, width: int) -> keras.Model:
    with seeded_build(0, 0):
        whole = [keras.Input((5, 3)), *parts(width), layers.Dense(1, "sigmoid")]
        model = keras.Sequential(whole)
        model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    return model


def train(
    loop: TrainingLoop, model: keras.Model, span: tuple[int, int] = (1, 3)
) -> tuple[list[dict], list[np.ndarray]]:
    logs: list[dict] = []
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda _, found: logs.append(dict(found)))
    loop.train(model, DATA, *span, [keep], EpochKeys(0, 0))
    return logs, model.get_weights()


@pytest.mark.parametrize("parts", [gru, lstm, simple, stacked, relu_gates])
def test_recurrent_layers_of_many_widths_share_a_trace(parts: Layers) -> None:
    shared = CompiledLoop()
    for width in (4, 7, 3, 1):
        logs, weights = train(shared, make(parts, width))
        alone, own = train(CompiledLoop(), make(parts, width))
        assert logs == alone
        for mine, their in zip(weights, own, strict=True):
            np.testing.assert_array_equal(mine, their)
        fitted, others = train(FitLoop(), make(parts, width))
        for mine, their in zip(logs, fitted, strict=True):
            assert mine == pytest.approx(their, abs=2e-5)
        for mine, their in zip(weights, others, strict=True):
            np.testing.assert_allclose(mine, their, atol=1e-4)
    assert shared.engine.shared_graphs == 1


def test_a_training_that_is_taken_up_again_keeps_its_width() -> None:
    shared = CompiledLoop()
    whole, _ = train(CompiledLoop(), make(gru, 4), (1, 4))
    model = make(gru, 4)
    first, _ = train(shared, model, (1, 2))
    train(shared, make(gru, 9))
    assert first + train(shared, model, (3, 4))[0] == whole
    expected = model.evaluate(SERIES, LABELS, verbose=0, return_dict=True)
    assert shared.evaluate(model, SERIES, LABELS)["loss"] == pytest.approx(expected["loss"])
    np.testing.assert_allclose(
        shared.predict(model, SERIES), model.predict(SERIES, verbose=0), atol=1e-6
    )


def test_a_recurrent_layer_that_is_the_output_keeps_its_width() -> None:
    def make_last(width: int) -> keras.Model:
        model = keras.Sequential(
            [keras.Input((5, 3)), layers.GRU(width, return_sequences=True), layers.LSTM(1)]
        )
        model.compile("sgd", "mse")
        return model

    shared = CompiledLoop()
    for width in (2, 3):
        logs, _ = train(shared, make_last(width))
        assert np.isfinite(logs[-1]["val_loss"])


@pytest.mark.parametrize(
    ("layer", "free"),
    [
        (lambda: layers.GRU(4), True),
        (lambda: layers.GRU(4, reset_after=False), False),
        (lambda: layers.LSTM(4, dropout=0.1), False),
        (lambda: layers.LSTM(4, recurrent_dropout=0.1), False),
        (lambda: layers.SimpleRNN(4), True),
        (lambda: layers.Bidirectional(layers.GRU(4)), False),
    ],
)
def test_which_recurrent_layers_are_open(layer: Callable[[], Any], free: bool) -> None:
    model = make(lambda _: [layer()], 1)
    build_all(model, DATA)
    assert structure_of(model, recurrent=True).free is free
    assert structure_of(model, images=True).free is False


def test_the_activations_of_a_cell_are_part_of_the_key() -> None:
    def key(width: int = 4, **given: Any) -> Any:
        model = make(lambda _: [layers.GRU(width, **given)], 1)
        build_all(model, DATA)
        return structure_of(model, recurrent=True).key

    assert key() == key(9) is not None
    others = [{"activation": "relu"}, {"use_bias": False}, {"go_backwards": True}, {"unroll": True}]
    assert len({key(), *(key(**given) for given in others)}) == 5


def test_a_layer_that_begins_at_the_state_of_another_is_not_open() -> None:
    inputs = keras.Input((5, 3))
    _, state = layers.GRU(4, return_state=True)(inputs)
    model = keras.Model(inputs, layers.Dense(1)(layers.GRU(4)(inputs, initial_state=[state])))
    model.compile("sgd", "mse")
    build_all(model, DATA)
    assert structure_of(model, recurrent=True).free is False
