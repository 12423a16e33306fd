"""Compiled epochs and what listens to them: callbacks, evaluation, predictions."""

from __future__ import annotations

import csv
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
    heard = [recorder(), recorder()]
    for loop, listener in zip(loops, heard, strict=True):
        loop.train(mlp(), data, 3, 4, [listener], KEYS)
    assert heard[0].calls == heard[1].calls
    assert ("epoch_begin", 2) in heard[0].calls and ("epoch_end", 3) in heard[0].calls


def test_early_stopping_stops_and_restores(
    mlp: Callable[..., keras.Model], data: FitData, recorder: Callable, loops: list[TrainingLoop]
) -> None:
    weights, epochs = [], []
    for loop in loops:
        stop = Callbacks.EarlyStopping(
            "val_loss", mode="max", patience=2, restore_best_weights=True
        )
        heard = recorder()
        weights.append(run(loop, mlp(), data, [stop, heard]).get_weights())
        epochs.append(len(heard.logs))
    assert epochs == [3, 3]
    for mine, their in zip(*weights, strict=True):
        np.testing.assert_allclose(mine, their, atol=1e-5)


def test_learning_rates_set_by_callbacks_take_effect(
    mlp: Callable[..., keras.Model], data: FitData, recorder: Callable, loops: list[TrainingLoop]
) -> None:
    curves = []
    for loop in loops:
        plateau = Callbacks.ReduceLROnPlateau("val_loss", mode="max", patience=1, factor=0.1)
        schedule = Callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9)
        heard = recorder()
        run(loop, mlp(), data, [plateau, schedule, heard], last=4)
        curves.append(heard.logs)
    for mine, their in zip(*curves, strict=True):
        assert mine == pytest.approx(their, abs=1e-5)
    assert curves[0][-1]["learning_rate"] < 1e-3


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


def test_weights_changed_by_a_callback_are_trained_on(
    mlp: Callable[..., keras.Model], data: FitData, recorder: Callable, loops: list[TrainingLoop]
) -> None:
    class Zero(Callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                self.model.set_weights([0 * weight for weight in self.model.get_weights()])

    curves = []
    for loop in loops:
        heard = recorder()
        run(loop, mlp(), data, [Zero(), heard], last=2)
        curves.append(heard.logs[-1])
    assert curves[0] == pytest.approx(curves[1], abs=1e-5)
    assert curves[0]["loss"] > 0.6


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
