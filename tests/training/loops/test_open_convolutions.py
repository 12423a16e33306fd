"""Convolutions of many widths share a trace on TensorFlow: the values of a trace of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.training.build import build_all
from kerashpo.training.data import FitData
from kerashpo.training.loops.base import TrainingLoop
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.training.loops.compiled.signature import structure_of
from kerashpo.training.loops.model_fit import FitLoop
from kerashpo.training.randomness import EpochKeys, seeded_build

if keras.backend.backend() != "tensorflow":
    pytest.skip("widths are open on TensorFlow only", allow_module_level=True)

layers = keras.layers
Widths = tuple[int, int, int]
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 2, 40).astype("float32")
IMAGES = RNG.normal(size=(40, 8, 8, 3)).astype("float32")
SERIES = RNG.normal(size=(40, 12, 3)).astype("float32")


def images(widths: Widths) -> list[Any]:
    first, second, third = widths
    penalty = keras.regularizers.L2(0.01)
    return [
        keras.Input((8, 8, 3)),
        layers.Conv2D(first, 3, activation="relu", kernel_regularizer=penalty),
        layers.MaxPooling2D(),
        layers.Conv2D(second, (2, 3), padding="same", strides=(1, 2), use_bias=False),
        layers.BatchNormalization(),
        layers.Activation("tanh"),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(third, "relu"),
    ]


def pooled(widths: Widths) -> list[Any]:
    return [
        keras.Input((8, 8, 3)),
        layers.BatchNormalization(),
        layers.Conv2D(widths[0], 3, padding="same"),
        layers.AveragePooling2D(2),
        layers.Conv2D(widths[1], 1, activation="selu", activity_regularizer="l1"),
        layers.GlobalMaxPooling2D(),
        layers.Dense(widths[2]),
    ]


def series(widths: Widths) -> list[Any]:
    return [
        keras.Input((12, 3)),
        layers.Conv1D(widths[0], 3, activation="elu"),
        layers.MaxPooling1D(2),
        layers.Conv1D(widths[1], 2, strides=2, padding="same", kernel_constraint="max_norm"),
        layers.GlobalAveragePooling1D(),
        layers.Dense(widths[2], "relu"),
    ]


def make(parts: Callable[[Widths], list[Any]], widths: Widths, rate: float = 0.01) -> keras.Model:
    with seeded_build(0, 0):
        model = keras.Sequential([*parts(widths), layers.Dense(1, "sigmoid")])
        model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", jit_compile=False)
    return model


def data_for(parts: Any) -> FitData:
    x = SERIES if parts is series else IMAGES
    return FitData.from_fit(x, LABELS, batch_size=8, validation_split=0.2)


def train(
    loop: TrainingLoop, model: keras.Model, data: FitData, span: tuple[int, int] = (1, 3)
) -> tuple[list[dict], list[np.ndarray]]:
    logs: list[dict] = []
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda _, found: logs.append(dict(found)))
    loop.train(model, data, *span, [keep], EpochKeys(0, 0))
    return logs, model.get_weights()


@pytest.mark.parametrize("parts", [images, pooled, series])
def test_convolutions_of_many_widths_share_a_trace(parts: Any) -> None:
    data, shared, fit = data_for(parts), CompiledLoop(), FitLoop()
    for widths in [(4, 6, 5), (7, 3, 8), (3, 3, 3), (1, 1, 1)]:
        logs, weights = train(shared, make(parts, widths), data)
        alone, own = train(CompiledLoop(), make(parts, widths), data)
        assert logs == alone
        for mine, their in zip(weights, own, strict=True):
            np.testing.assert_array_equal(mine, their)
        fitted, others = train(fit, make(parts, widths), data)
        for mine, their in zip(logs, fitted, strict=True):
            assert mine == pytest.approx(their, abs=1e-4)
        assert len(weights) == len(others)
    assert shared.engine.shared_graphs == 1


def test_a_training_that_is_taken_up_again_keeps_its_widths() -> None:
    data, shared = data_for(images), CompiledLoop()
    whole, _ = train(CompiledLoop(), make(images, (4, 6, 5)), data, (1, 4))
    model = make(images, (4, 6, 5))
    first, _ = train(shared, model, data, (1, 2))
    train(shared, make(images, (9, 2, 3)), data)
    assert first + train(shared, model, data, (3, 4))[0] == whole
    x, y = IMAGES[:9], LABELS[:9]
    expected = model.evaluate(x, y, verbose=0)
    assert shared.evaluate(model, x, y)["loss"] == pytest.approx(expected, abs=1e-5)
    np.testing.assert_allclose(
        shared.predict(model, x), model.predict(x, verbose=0), atol=1e-5, rtol=1e-5
    )


def last(width: int) -> list[Any]:
    return [keras.Input((8, 8, 3)), layers.Conv2D(width, 3), layers.GlobalMaxPooling2D()]


@pytest.mark.parametrize(
    ("layer", "free"),
    [
        (lambda: layers.Conv2D(4, 3), True),
        (lambda: layers.Conv2D(3, 3, groups=3), False),
        (lambda: layers.Conv2D(4, 2, dilation_rate=2), False),
        (lambda: layers.Conv2D(4, 3, data_format="channels_first"), False),
        (lambda: layers.DepthwiseConv2D(2), False),
        (lambda: layers.GroupNormalization(3), False),
    ],
)
def test_which_convolutions_are_open(layer: Callable[[], Any], free: bool) -> None:
    model = make(lambda widths: [keras.Input((8, 8, 3)), layer(), layers.Flatten()], (1, 1, 1))
    build_all(model, data_for(images))
    assert structure_of(model, images=True).free is free
    assert structure_of(model).free is False


def test_a_causal_convolution_is_not_open() -> None:
    causal = lambda: layers.Conv1D(4, 3, padding="causal")
    model = make(lambda _: [keras.Input((12, 3)), causal(), layers.Flatten()], (1, 1, 1))
    build_all(model, data_for(series))
    assert structure_of(model, images=True).free is False


def test_windows_strides_and_the_size_of_a_model_are_part_of_the_key() -> None:
    def key(width: int = 4, **given: Any) -> Any:
        layer = lambda: layers.Conv2D(width, **{"kernel_size": 3, **given})
        model = make(lambda _: [keras.Input((8, 8, 3)), layer(), layers.Flatten()], (1, 1, 1))
        build_all(model, data_for(images))
        return structure_of(model, images=True).key

    assert key() == key(9) is not None
    others = [{"kernel_size": 2}, {"strides": 2}, {"padding": "same"}, {"use_bias": False}]
    assert len({key(), key(4_000), *(key(**given) for given in others)}) == 6


def test_the_width_of_an_output_is_part_of_the_key() -> None:
    def key(width: int) -> Any:
        model = keras.Sequential(last(width))
        model.compile("adam", "mse")
        build_all(model, FitData.from_fit(IMAGES, RNG.normal(size=(40, width)).astype("float32")))
        return structure_of(model, images=True).key

    assert len({key(2), key(4), key(5)}) == 3
