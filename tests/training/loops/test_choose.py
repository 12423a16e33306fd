"""Which loop trains a model, and why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.training.data import FitData
from kerashpo.training.loops.base import choose, is_batch_level

Callbacks = keras.callbacks


def test_arrays_are_compiled(mlp: Callable[..., keras.Model], data: FitData) -> None:
    kind, reason = choose("auto", mlp(), data, [Callbacks.EarlyStopping()])
    assert kind == "compiled" and "arrays" in reason
    assert choose(True, mlp(), data, [])[0] == "compiled"
    assert choose(False, mlp(), data, []) == ("plain", "fast=False")


def test_batch_callbacks_are_seen_through_a_wrapper(
    mlp: Callable[..., keras.Model], data: FitData
) -> None:
    class Wrapper(Callbacks.Callback):
        def __init__(self, wrapped: Callbacks.Callback) -> None:
            super().__init__()
            self.wrapped = wrapped

    wrapped = Wrapper(Callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None))
    assert choose("auto", mlp(), data, [wrapped]) == (
        "plain",
        "the callback LambdaCallback listens to batches",
    )
    assert choose("auto", mlp(), data, [Wrapper(Callbacks.EarlyStopping())])[0] == "compiled"


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Callbacks.EarlyStopping(), False),
        (lambda: Callbacks.ModelCheckpoint("m.keras"), False),
        (lambda: Callbacks.ModelCheckpoint("m.keras", save_freq=3), True),
        (lambda: Callbacks.TensorBoard("logs"), False),
        (lambda: Callbacks.TensorBoard("logs", update_freq=2), True),
        (lambda: Callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None), False),
        (lambda: Callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None), True),
        (lambda: Callbacks.TerminateOnNaN(), True),
        (lambda: Callbacks.BackupAndRestore("backup"), False),
        (lambda: Callbacks.BackupAndRestore("backup", save_freq=5), True),
        (lambda: Callbacks.ProgbarLogger(), False),
        (lambda: Callbacks.SwapEMAWeights(), False),
        (lambda: Callbacks.RemoteMonitor(), False),
    ],
)
def test_batch_level(make: Callable[[], Any], expected: bool, tmp_path: Path) -> None:
    assert is_batch_level(make()) is expected


def test_a_guard_against_nan_is_compiled_where_the_logs_are_metrics(
    mlp: Callable[..., keras.Model], data: FitData
) -> None:
    class OwnStep(keras.Sequential):
        def train_step(self, *args: Any) -> Any:
            return super().train_step(*args)

    class Louder(Callbacks.TerminateOnNaN):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            super().on_batch_end(batch, logs)

    own = OwnStep([keras.Input((6,)), keras.layers.Dense(1)])
    own.compile("sgd", "mse")
    several = mlp()
    several.steps_per_execution = 2
    guard = Callbacks.TerminateOnNaN()
    assert choose("auto", mlp(), data, [guard])[0] == "compiled"
    for model, callback in ((own, guard), (several, guard), (mlp(), Louder())):
        kind, reason = choose("auto", model, data, [callback])
        assert kind == "plain" and "listens to batches" in reason


def test_reasons(mlp: Callable[..., keras.Model], data: FitData) -> None:
    class OwnLoop(keras.Sequential):
        def make_train_function(self, force: bool = False) -> Any:
            return super().make_train_function(force)

    own = OwnLoop([keras.Input((6,)), keras.layers.Dense(1)])
    own.compile("sgd", "mse")
    eager = mlp()
    eager.run_eagerly = True
    uncompiled = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    cases = {
        "not dense arrays": (mlp(), FitData(object())),
        "overrides make_train_function": (own, data),
        "runs eagerly": (eager, data),
        "not compiled": (uncompiled, data),
    }
    for expected, (model, given) in cases.items():
        kind, reason = choose("auto", model, given, [])
        assert kind == "plain" and expected in reason


def test_insisting_raises_with_the_reason(mlp: Callable[..., keras.Model], data: FitData) -> None:
    counting = Callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)
    with pytest.raises(InvalidInput, match=r'LambdaCallback listens to batches. Use fast="auto"'):
        choose(True, mlp(), data, [counting])
    with pytest.raises(InvalidInput, match="'sometimes'"):
        choose("sometimes", mlp(), data, [])  # type: ignore[arg-type]


def test_string_arrays_are_compiled_on_tensorflow(mlp: Callable[..., keras.Model]) -> None:
    data = FitData.from_fit(np.array([["a"], ["b"]]), np.zeros(2))
    kind = {"tensorflow": "compiled"}.get(keras.backend.backend(), "plain")
    assert choose("auto", mlp(), data, [])[0] == kind


@pytest.mark.parametrize("arguments", [{"steps_per_epoch": 2}, {"shuffle": "batch"}])
def test_arrays_in_any_order_are_compiled(
    mlp: Callable[..., keras.Model], data: FitData, arguments: dict[str, Any]
) -> None:
    given = FitData.from_fit(data.x, data.y, **arguments)
    assert choose("auto", mlp(), given, [])[0] == "compiled"
