"""`FitLoop` is `model.fit`, with the order of samples supplied."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.training.data import FitData
from kerashpo.training.loops.batches import ordered
from kerashpo.training.loops.model_fit import FitLoop
from kerashpo.training.randomness import EpochKeys


def test_without_shuffling_it_is_fit(
    mlp: Callable[..., keras.Model],
    data: FitData,
    table: tuple[np.ndarray, np.ndarray],
    keys: EpochKeys,
    recorder: Callable,
) -> None:
    ours, theirs = recorder(), recorder()
    FitLoop().train(mlp(), data, 1, 3, [ours], keys)
    mlp().fit(
        *table,
        batch_size=8,
        epochs=3,
        validation_split=0.2,
        validation_batch_size=4,
        shuffle=False,
        verbose=0,
        callbacks=[theirs],
    )
    assert ours.calls == theirs.calls
    for mine, their in zip(ours.logs, theirs.logs, strict=True):
        assert mine == pytest.approx(their, abs=1e-6) and list(mine) == list(their)


def test_batches_follow_the_keys(table: tuple[np.ndarray, np.ndarray], keys: EpochKeys) -> None:
    data = FitData.from_fit(*table, batch_size=10)
    stream, batches = ordered(data, 2, keys, 1), []
    for stream.epoch in (2, 3):
        for source in (stream.get_numpy_iterator(), stream.get_jax_iterator()):
            part = [np.asarray(batch[1]) for batch in source]
        batches += part
    assert [len(batch) for batch in batches] == [10, 10, 10, 10, 5] * 2
    assert stream.num_batches == 5 and stream.partial_batch_size == 5
    expected = np.concatenate([table[1][keys.permutation(epoch, 45)] for epoch in (2, 3)])
    np.testing.assert_array_equal(np.concatenate([np.asarray(b) for b in batches]), expected)


def test_a_segment_continues_where_the_last_one_ended(
    mlp: Callable[..., keras.Model],
    table: tuple[np.ndarray, np.ndarray],
    keys: EpochKeys,
    recorder: Callable,
) -> None:
    data = FitData.from_fit(*table, batch_size=10)
    whole, parts = recorder(), recorder()
    FitLoop().train(mlp(dropout=0.3), data, 1, 3, [whole], keys)
    model = mlp(dropout=0.3)
    FitLoop().train(model, data, 1, 1, [parts], keys)
    FitLoop().train(model, data, 2, 3, [parts], keys)
    assert [log["loss"] for log in parts.logs] == pytest.approx(
        [log["loss"] for log in whole.logs], abs=1e-6
    )


def test_a_generator_is_handed_over(
    mlp: Callable[..., keras.Model],
    table: tuple[np.ndarray, np.ndarray],
    keys: EpochKeys,
    recorder: Callable,
) -> None:
    def stream() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        while True:
            yield table

    received = recorder()
    with pytest.warns(UserWarning, match="keeps a copy of its batches"):
        data = FitData.from_fit(stream(), steps_per_epoch=2, validation_data=table)
    FitLoop().train(mlp(), data, 3, 4, [received], keys)
    assert [call for call in received.calls if call[0] == "epoch_end"] == [
        ("epoch_end", 2),
        ("epoch_end", 3),
    ]
    assert "val_loss" in received.logs[0]


def test_arrays_are_freed_with_the_search(mlp: Callable[..., keras.Model], keys: EpochKeys) -> None:
    """TensorFlow's `from_generator` keeps its function for ever, but not our data with it."""
    rows = np.zeros((40, 6), "float32")
    held = [FitData.from_fit(rows, rows[:, 0], batch_size=size) for size in (8, 16)]
    assert held[0].x is held[1].x is rows
    watched = weakref.ref(rows)
    for one in held:
        FitLoop().train(mlp(), one, 1, 1, [], keys)
    del rows, held, one
    gc.collect()
    assert watched() is None


def test_a_model_that_overrides_fit_gets_the_arrays(keys: EpochKeys) -> None:
    class Sevens(keras.Sequential):
        def fit(self, x: Any, y: Any, **arguments: Any) -> Any:
            assert len(x) == len(y) == 20
            return super().fit(x, y, **{**arguments, "batch_size": 7})

    def make(kind: type[keras.Sequential]) -> keras.Model:
        ones = keras.layers.Dense(1, kernel_initializer="ones")
        model = kind([keras.Input((2,)), ones])
        model.compile("sgd", "mse")
        return model

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 2)).astype("float32"), np.ones((20, 1), "float32")
    data = FitData.from_fit(x, y, batch_size=4, shuffle=False)
    losses: list[float] = []
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda _, logs: losses.append(logs["loss"]))
    FitLoop().train(make(Sevens), data, 1, 3, [keep], keys)
    fitted = make(keras.Sequential).fit(x, y, batch_size=7, shuffle=False, epochs=3, verbose=0)
    np.testing.assert_allclose(losses, fitted.history["loss"], rtol=1e-5)
