"""Embeddings of open widths: one trace for many of them, the values of `fit`."""

from __future__ import annotations

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
PAIRS = RNG.integers(0, 9, (30, 2)).astype("int32")
TOKENS = RNG.integers(0, 12, (30, 5))
Y = RNG.normal(size=30).astype("float32")


def factors(width: int) -> keras.Model:
    inputs = keras.Input((2,), dtype="int32")
    sides = inputs[:, 0], inputs[:, 1]
    penalty = keras.regularizers.L2(1e-3)
    parts = [layers.Embedding(9, width, embeddings_regularizer=penalty)(i) for i in sides]
    biases = [layers.Embedding(9, 1)(i) for i in sides]
    joined = layers.Concatenate()([layers.Dot(1)(parts), *biases])
    return keras.Model(inputs, layers.Dense(1)(joined))


def tokens(width: int) -> keras.Model:
    x = layers.Embedding(12, width)(inputs := keras.Input((5,)))
    return keras.Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling1D()(x)))


def recurrent(width: int) -> keras.Model:
    x = layers.Embedding(12, width)(inputs := keras.Input((5,)))
    return keras.Model(inputs, layers.Dense(1)(layers.GRU(width + 1)(x)))


def flat(width: int) -> keras.Model:
    x = layers.Embedding(12, width, embeddings_constraint="max_norm")(inputs := keras.Input((5,)))
    return keras.Model(inputs, layers.Dense(1)(layers.Dense(3, "relu")(layers.Flatten()(x))))


def make(build: Any, width: int, optimizer: str) -> keras.Model:
    with seeded_build(0, 0):
        model = build(width)
        model.compile(optimizer, "mse", metrics=["mae"])
    return model


def train(loop: TrainingLoop, model: keras.Model) -> tuple[list[dict], list[np.ndarray]]:
    x = PAIRS if model.input.shape[1] == 2 else TOKENS
    data = FitData.from_fit(x, Y, batch_size=8, validation_split=0.2)
    logs: list[dict] = []
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda _, found: logs.append(dict(found)))
    loop.train(model, data, 1, 3, [keep], EpochKeys(0, 0))
    return logs, model.get_weights()


@pytest.mark.parametrize(
    ("build", "optimizer"),
    [
        *((factors, name) for name in ("adam", "sgd", "rmsprop", "adagrad", "nadam", "lion")),
        (tokens, "adam"),
        (recurrent, "adamw"),
        (flat, "adamax"),
    ],
)
def test_embeddings_of_many_widths_share_a_trace(build: Any, optimizer: str) -> None:
    shared = CompiledLoop()
    for width in (4, 7, 2, 1):
        logs, weights = train(shared, make(build, width, optimizer))
        alone, own = train(CompiledLoop(), make(build, width, optimizer))
        assert logs == alone
        for mine, their in zip(weights, own, strict=True):
            np.testing.assert_array_equal(mine, their)
        fitted, others = train(FitLoop(), make(build, width, optimizer))
        for mine, their in zip(logs, fitted, strict=True):
            assert mine == pytest.approx(their, abs=2e-5)
        for mine, their in zip(weights, others, strict=True):
            np.testing.assert_allclose(mine, their, atol=2e-5)
    assert shared.engine.shared_graphs == 1


@pytest.mark.parametrize(("mask", "words"), [(False, 12), (True, 12), (False, 13)])
def test_what_is_part_of_the_key(mask: bool, words: int) -> None:
    def structure(width: int, mask: bool = False, words: int = 12) -> Any:
        x = layers.Embedding(words, width, mask_zero=mask)(inputs := keras.Input((5,)))
        model = keras.Model(inputs, layers.Dense(1)(layers.LSTM(4)(x)))
        model.compile("adam", "mse")
        build_all(model, FitData.from_fit(TOKENS, Y, batch_size=8))
        return structure_of(model, images=True, recurrent=True)

    found = structure(4, mask, words)
    assert found.free is not mask
    assert (found.key == structure(7).key) is (not mask and words == 12)
