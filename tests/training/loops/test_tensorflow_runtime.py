"""Which of TensorFlow's executors runs a graph, and that they agree to float rounding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerashpo.training.build import build_all
from kerashpo.training.data import FitData
from kerashpo.training.loops.compiled.tensorflow import engine as engines
from kerashpo.training.loops.compiled.tensorflow import graphs
from kerashpo.training.loops.compiled.tensorflow.engine import TensorFlowEngine
from kerashpo.training.loops.compiled.tensorflow.runtime import is_small

Adam = keras.optimizers.Adam


def make(optimizer: Any, width: int = 7, conv: bool = False) -> keras.Model:
    layers = [keras.layers.Conv1D(3, 2), keras.layers.Flatten()] if conv else []
    model = keras.Sequential(
        [
            keras.Input((6, 1) if conv else (6,)),
            *layers,
            keras.layers.Dense(width, "relu"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer, "mse", jit_compile=False)
    return model


@pytest.fixture
def data() -> FitData:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 6)).astype("float32"), rng.normal(size=40).astype("float32")
    return FitData.from_fit(x, y, batch_size=16, validation_split=0.25)


@pytest.mark.parametrize(
    ("build", "flat"),
    [
        (lambda: make(Adam()), True),
        # One worker's pool of threads may hold one thread: it must not wait for itself.
        (lambda: make(Adam(use_ema=True, ema_overwrite_frequency=3)), False),
        (lambda: make(Adam(), conv=True), True),
    ],
)
def test_single_thread_is_for_plain_loops_of_dense_layers(
    build: Callable[[], keras.Model], flat: bool, data: FitData
) -> None:
    model, engine = build(), TensorFlowEngine(4)
    if model.layers[0].name.startswith("conv"):
        data = FitData.from_fit(data.x[..., None], data.y, batch_size=16)
    build_all(model, data)
    with engine.open(model, data) as session:
        found = session._bound.small_graph(graphs.trace_training, session._training)
        assert (found is not None) is flat
        session.train_epoch(np.arange(len(data.x), dtype="int32"))


def embedded(width: int) -> keras.Model:
    layers = keras.layers
    hidden = [layers.Embedding(1_000, width), layers.GlobalAveragePooling1D(), layers.Dense(1)]
    model = keras.Sequential([keras.Input((6,)), *hidden])
    model.compile(Adam(), "mse", jit_compile=False)
    return model


@pytest.mark.parametrize(("width", "quick"), [(8, True), (200, False)])
def test_graphs_of_fixed_widths_are_optimized_only_where_the_model_is_large(
    width: int, quick: bool, data: FitData
) -> None:
    model = embedded(width)
    tokens = FitData.from_fit(np.abs(data.x).astype("int32"), data.y, batch_size=16)
    build_all(model, tokens)
    with TensorFlowEngine(4).open(model, tokens) as session:
        assert session._bound._trace.quick is quick
        small = session._bound.small_graph(graphs.trace_training, session._training)
        assert (small is not None) is quick
        options = tf.config.optimizer.get_experimental_options()
        assert options.get("disable_meta_optimizer", False) is quick


def test_small_is_a_matter_of_parameters_times_batch() -> None:
    assert is_small(40_000 * 32) and not is_small(300_000 * 32) and not is_small(40_000 * 512)


def test_both_executors_give_the_same_curve(data: FitData, monkeypatch: pytest.MonkeyPatch) -> None:
    curves = []
    for small in (True, False):
        monkeypatch.setattr(engines, "is_small", lambda products, small=small: small)
        keras.utils.set_random_seed(0)
        model, engine = make(Adam(0.01)), TensorFlowEngine(4)
        build_all(model, data)
        with engine.open(model, data) as session:
            order = np.arange(len(data.x), dtype="int32")
            logs = [session.train_epoch(order) | session.test_epoch() for _ in range(3)]
        curves.append((logs, model.get_weights()))
    for one, several in zip(curves[0][0], curves[1][0], strict=True):
        assert one == pytest.approx(several, rel=1e-5)
    for one, several in zip(curves[0][1], curves[1][1], strict=True):
        np.testing.assert_allclose(one, several, atol=1e-6)


@pytest.mark.parametrize(
    ("first", "small"),
    [
        (lambda: keras.layers.Conv2D(16, 3, padding="same"), True),
        # The same parameters at a quarter of the places; more parameters; an unknown size.
        (lambda: keras.layers.Conv2D(150, 3, strides=2), True),
        (lambda: keras.layers.Conv2D(300, 3, padding="same"), False),
        (lambda: keras.layers.Conv2D(16, 3, dilation_rate=2), False),
    ],
)
def test_small_steps_of_convolutions_run_in_one_thread(
    first: Callable[[], Any], small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "is_small", lambda products: products <= 1_500_000)
    rng = np.random.default_rng(0)
    images = rng.normal(size=(32, 8, 8, 3)).astype("float32")
    data = FitData.from_fit(images, images[:, 0, 0, 0], batch_size=32)
    pooled = keras.layers.GlobalAveragePooling2D()
    model = keras.Sequential([keras.Input((8, 8, 3)), first(), pooled, keras.layers.Dense(1)])
    model.compile(Adam(), "mse", jit_compile=False)
    build_all(model, data)
    with TensorFlowEngine(4).open(model, data) as session:
        graph = session._bound.small_graph(graphs.trace_training, session._training)
        assert (session._small and graph is not None) is small
        session.train_epoch(np.arange(len(data.x), dtype="int32"))
