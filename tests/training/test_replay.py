"""Replaying a schedule: values set on a live model are those of a model built with them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.training.replay import ReplaySchedule, copy_values
from tests.helpers.small_models import LABELS, ROWS

FIRST = {"rate": 0.1, "momentum": 0.5, "l2": 0.01, "smooth": 0.0, "drop": 0.0}
SECOND = {"rate": 0.02, "momentum": 0.9, "l2": 0.3, "smooth": 0.2, "drop": 0.0}
FIT: dict[str, Any] = {"batch_size": 16, "shuffle": False, "verbose": 0}


def build(config: Any) -> keras.Model:
    dense = keras.layers.Dense(4, "relu", kernel_regularizer=keras.regularizers.L2(config["l2"]))
    drop = keras.layers.Dropout(config["drop"])
    model = keras.Sequential([keras.Input((4,)), dense, drop, keras.layers.Dense(1, "sigmoid")])
    loss = keras.losses.BinaryCrossentropy(label_smoothing=config["smooth"])
    model.compile(keras.optimizers.SGD(config["rate"], config["momentum"]), loss)
    return model


def start(model: keras.Model) -> keras.Model:
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def rebuilt() -> list[np.ndarray]:
    """An epoch with the first values, and one of a model that was built with the second."""
    first, second = start(build(FIRST)), build(SECOND)
    first.fit(ROWS, LABELS, **FIT)
    second.set_weights(first.get_weights())
    second.optimizer.build(second.trainable_variables)
    for mine, theirs in zip(second.optimizer.variables, first.optimizer.variables):
        if "learning_rate" not in mine.path:
            mine.assign(theirs)
    second.fit(ROWS, LABELS, **FIT)
    return second.get_weights()


def test_a_schedule_trains_as_models_rebuilt_at_each_change_do(rebuilt):
    model = start(build(SECOND))
    replay = ReplaySchedule([(1, FIRST), (2, SECOND)], build)
    model.fit(ROWS, LABELS, **FIT, epochs=2, callbacks=[replay])
    for mine, theirs in zip(model.get_weights(), rebuilt, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", [name for name in FIRST if name != "drop"])
def test_each_value_matters(rebuilt, name):
    """So the test above would fail if one were not set."""
    model = start(build(SECOND))
    replay = ReplaySchedule([(1, FIRST), (2, SECOND | {name: FIRST[name]})], build)
    model.fit(ROWS, LABELS, **FIT, epochs=2, callbacks=[replay])
    alike = [np.allclose(a, b, atol=1e-5) for a, b in zip(model.get_weights(), rebuilt)]
    assert not all(alike)


def test_dropout_may_begin(rebuilt):
    model = start(build(FIRST))
    copy_values(build(SECOND | {"drop": 0.5}), model)
    assert model.layers[1].rate == 0.5
    outputs = [model(ROWS, training=True).numpy() for _ in range(2)]
    assert not np.array_equal(*outputs)


def test_another_model_is_refused():
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    other.compile("sgd", "mse")
    with pytest.raises(InvalidInput, match="other layers or another optimizer"):
        copy_values(build(FIRST), other)
