"""Compiled epochs and what listens to them: callbacks, evaluation, predictions."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.training.data import FitData
from kerashpo.training.loops.base import TrainingLoop
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.training.loops.model_fit import FitLoop
from kerashpo.training.randomness import EpochKeys

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")
Callbacks = keras.callbacks
KEYS = EpochKeys(0, 0)


def run(
    loop: TrainingLoop, model: keras.Model, data: FitData, callbacks: list[Any], last: int = 8
) -> Any:
    loop.train(model, data, 1, last, callbacks, KEYS)
    return model


@pytest.fixture
def loops() -> list[TrainingLoop]:
    return [CompiledLoop(), FitLoop()]


def test_calls_come_in_the_order_of_fit(
    mlp: Callable[..., keras.Model], data: FitData, recorder: Callable, loops: list[TrainingLoop]
) -> None:
    received = [recorder(), recorder()]
    for loop, listener in zip(loops, received, strict=True):
        loop.train(mlp(), data, 3, 4, [listener], KEYS)
    assert received[0].calls == received[1].calls
    assert ("epoch_begin", 2) in received[0].calls and ("epoch_end", 3) in received[0].calls


def test_terminate_on_nan_ends_the_epoch_at_its_batch(
    mlp: Callable[..., keras.Model], data: FitData, recorder: Callable, loops: list[TrainingLoop]
) -> None:
    rows = data.x.copy()
    rows[20] = np.inf  # in the third batch of five
    broken = dataclasses.replace(data, x=rows)
    logs, steps = [], []
    for loop in loops:
        received = recorder()
        model = run(loop, mlp(), broken, [Callbacks.TerminateOnNaN(), received], last=3)
        logs.append(received.logs)
        steps.append(int(model.optimizer.iterations))
        assert model.stop_training
    assert steps == [3, 3] and [len(one) for one in logs] == [1, 1]
    assert np.isnan(logs[0][0]["loss"])
    assert logs[0][0] == pytest.approx(logs[1][0], nan_ok=True)
    with pytest.raises(RuntimeError, match="at batch 2"):
        run(loops[0], mlp(), broken, [Callbacks.TerminateOnNaN(raise_error=True)])


def test_csv_logger_writes_what_fit_writes(
    mlp: Callable[..., keras.Model], data: FitData, loops: list[TrainingLoop], tmp_path: Path
) -> None:
    tables = []
    for number, loop in enumerate(loops):
        file = tmp_path / f"{number}.csv"
        run(loop, mlp(), data, [Callbacks.CSVLogger(str(file))], last=2)
        tables.append(list(csv.DictReader(file.read_text().splitlines())))
    assert [list(row) for row in tables[0]] == [list(row) for row in tables[1]]
    for mine, their in zip(*tables, strict=True):
        assert {k: float(v) for k, v in mine.items()} == pytest.approx(
            {k: float(v) for k, v in their.items()}, abs=1e-5
        )


def test_evaluate_and_predict_are_keras_own(
    mlp: Callable[..., keras.Model], data: FitData, loops: list[TrainingLoop]
) -> None:
    loop = loops[0]
    assert isinstance(loop, CompiledLoop)
    model = run(loop, mlp(), data, [], last=1)
    x, y, _ = data.validation
    weight = np.linspace(0.1, 1.0, len(x)).astype("float32")
    theirs = model.evaluate(x, y, sample_weight=weight, batch_size=4, verbose=0, return_dict=True)
    assert loop.evaluate(model, x, y, weight, batch_size=4) == pytest.approx(theirs, abs=1e-6)
    for size in (2, 5, 100):
        guess = loop.predict(model, x, batch_size=size)
        np.testing.assert_allclose(guess, model.predict(x, verbose=0), atol=1e-6)


def test_predict_keeps_the_structure_of_outputs() -> None:
    inputs = {"a": keras.Input((3,), name="a"), "b": keras.Input((2,), name="b")}
    joined = keras.layers.Concatenate()([inputs["a"], inputs["b"]])
    outputs = {"p": keras.layers.Dense(1)(joined), "q": keras.layers.Dense(2)(joined)}
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse")
    x = {"a": np.ones((7, 3), "float32"), "b": np.ones((7, 2), "float32")}
    ours, theirs = CompiledLoop().predict(model, x, batch_size=3), model.predict(x, verbose=0)
    assert set(ours) == {"p", "q"}
    np.testing.assert_allclose(ours["q"], theirs["q"], atol=1e-6)


def test_pipelines_are_refused_by_evaluate(mlp: Callable[..., keras.Model]) -> None:
    with pytest.raises(InvalidInput, match="Expected dense arrays"):
        CompiledLoop().evaluate(mlp(), iter([1]))


def _compiled_again(model: keras.Model, data: FitData) -> FitData:
    model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy", metrics=["accuracy"])
    return data


def _frozen_layer(model: keras.Model, data: FitData) -> FitData:
    if keras.backend.backend() == "jax":
        pytest.skip("Keras's fit fails on JAX once a layer is frozen without compile")
    model.layers[0].trainable = False  # without `compile`, so `fit` ignores it
    return data


def _other_rows(model: keras.Model, data: FitData) -> FitData:
    return dataclasses.replace(data, x=data.x[::-1].copy())


@pytest.mark.parametrize(
    ("change", "opened_again"),
    [(None, False), (_frozen_layer, False), (_compiled_again, True), (_other_rows, True)],
)
def test_a_paused_training_goes_on_in_its_session_unless_something_changed(
    mlp: Callable[..., keras.Model],
    data: FitData,
    loops: list[TrainingLoop],
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[keras.Model, FitData], FitData] | None,
    opened_again: bool,
) -> None:
    engine = loops[0].engine
    calls, stock = [], engine.open
    monkeypatch.setattr(engine, "open", lambda *args: calls.append(1) or stock(*args))
    weights = []
    for loop in loops:
        model = mlp()
        loop.train(model, data, 1, 2, [], KEYS)
        then = data if change is None else change(model, data)
        loop.train(model, then, 3, 4, [], KEYS)
        weights.append(model.get_weights())
    assert (len(calls) > 1) == opened_again
    for mine, their in zip(*weights, strict=True):
        np.testing.assert_allclose(mine, their, atol=1e-5)
