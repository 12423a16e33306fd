"""Descriptions of functions: equal for equal behaviour, different or refused for anything else."""

from __future__ import annotations

import enum
import functools
import math
import random
import time
import types
from collections import deque
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.training import captured_state
from kerashpo.training.captured_state import Opaque, describe, fingerprint

FACTOR = 1.0
FACTORS = {"a": [1.0, 2.0]}
CALLS: list[int] = []


class Settings:
    factor = 1.0


class Colour(enum.Enum):
    RED = 1


OBJECT = Settings()
MODULE = types.ModuleType("settings")
MODULE.factor = 1.0  # type: ignore[attr-defined]


def with_global(y: Any, p: Any) -> Any:
    return FACTOR * keras.ops.mean(y - p)


def with_nested(y: Any, p: Any) -> Any:
    return sum(value * y for value in FACTORS["a"])


def with_module(y: Any, p: Any) -> Any:
    return MODULE.factor * y


def calling(y: Any, p: Any) -> Any:
    return with_global(y, p)


def closure(factor: Any) -> Callable[..., Any]:
    return lambda y, p: factor * keras.ops.mean(y - p)


def default(factor: Any) -> Callable[..., Any]:
    def loss(y: Any, p: Any, weight: Any = factor, *, other: Any = factor) -> Any:
        return weight * (y - p)

    return loss


def own_attribute(y: Any, p: Any) -> Any:
    return own_attribute.factor * y  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("function", "where", "name", "value"),
    [
        (with_global, globals(), "FACTOR", 2.0),
        (with_global, globals(), "FACTOR", 1),  # equal, of another type
        (calling, globals(), "FACTOR", 2.0),
        (with_nested, FACTORS, "a", [1.0, 3.0]),
        (with_module, vars(MODULE), "factor", 2.0),
        (own_attribute, vars(own_attribute), "factor", 2.0),
    ],
)
def test_every_value_that_a_function_reads_counts(
    function: Any, where: dict[str, Any], name: str, value: Any, monkeypatch: Any
) -> None:
    monkeypatch.setitem(vars(own_attribute), "factor", 1.0)
    before = describe(function), fingerprint(function)
    assert before == (describe(function), fingerprint(function))
    hash(before)
    monkeypatch.setitem(where, name, value)
    assert describe(function) != before[0] and fingerprint(function) != before[1]


@pytest.mark.parametrize("make", [closure, default, lambda f: functools.partial(with_global, f)])
@pytest.mark.parametrize(
    ("one", "two"),
    [
        (1.0, 2.0),
        (0.0, -0.0),
        (True, 1),
        ([1.0], (1.0,)),
        ([1.0], [1.0, 2.0]),
        (deque([1]), deque([2])),
        ({1, 2}, {1, 3}),
        (np.arange(3), np.arange(4)),
        (np.float32(1), np.float64(1)),
        (keras.losses.Huber(0.1), keras.losses.Huber(0.2)),
        (keras.losses.mean_squared_error, keras.losses.mean_absolute_error),
        (math.sin, math.cos),
        (Colour.RED, 1),
        (slice(1), slice(2)),
    ],
)
def test_captured_values_distinguish_functions(make: Any, one: Any, two: Any) -> None:
    assert describe(make(one)) == describe(make(one)) != describe(make(two))


def test_equal_code_with_equal_values_is_the_same() -> None:
    assert describe(closure(3.0)) == describe(closure(3.0))
    assert describe(closure(float("nan"))) == describe(closure(float("nan")))
    assert describe(lambda y: y + 1) != describe(lambda y: y + 2)


def test_functions_that_call_each_other_end() -> None:
    def even(n: int) -> bool:
        return n == 0 or odd(n - 1)

    def odd(n: int) -> bool:
        return n != 0 and even(n - 1)

    assert describe(even) == describe(even)


def counting(y: Any, p: Any) -> Any:
    global FACTOR
    FACTOR += 1
    return FACTOR * y


def with_import(y: Any, p: Any) -> Any:
    import json

    return json.loads("1") * y


def reads_object(y: Any, p: Any) -> Any:
    return OBJECT.factor * y


def reads_class(y: Any, p: Any) -> Any:
    return Settings.factor * y


def draws(y: Any, p: Any) -> Any:
    return random.random() * y


def draws_numpy(y: Any, p: Any) -> Any:
    return np.random.rand() * y


def draws_keras(y: Any, p: Any) -> Any:
    return keras.random.normal((1,)) * y


def tells_time(y: Any, p: Any) -> Any:
    return time.time() * y


def looks_up(y: Any, p: Any) -> Any:
    return globals()["FACTOR"] * y


def passes_module(y: Any, p: Any) -> Any:
    return getattr(MODULE, "factor") * y  # noqa: B009


def rebinds() -> Callable[..., Any]:
    count = 0

    def loss(y: Any, p: Any) -> Any:
        nonlocal count
        count += 1
        return count * y

    return loss


@pytest.mark.parametrize(
    "value",
    [
        counting,
        with_import,
        reads_object,
        reads_class,
        draws,
        draws_numpy,
        draws_keras,
        tells_time,
        looks_up,
        passes_module,
        rebinds(),
        Settings().__init__,
        closure(Settings()),
        closure(keras.Variable(1.0)),
        closure(keras.metrics.Mean()),
        closure(keras.layers.Dense(1)),
        closure(np.zeros(10**6)),
        closure(np.array([Settings()])),
    ],
    ids=lambda value: getattr(value, "__name__", "value"),
)
def test_what_cannot_be_described_is_refused(value: Any) -> None:
    with pytest.raises(Opaque):
        describe(value)
    hash(fingerprint(value))


def test_functions_of_the_backend_are_described_by_name() -> None:
    def loss(y: Any, p: Any) -> Any:
        return keras.ops.mean(keras.losses.mean_squared_error(y, p)) + np.exp(1.0) + math.pi

    assert describe(loss) == describe(loss)
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    def native(y: Any, p: Any) -> Any:
        return tf.reduce_mean(tf.math.squared_difference(y, p)) + tf.nn.relu(1.0)

    def constant(value: float) -> Any:
        held = tf.constant([value])
        return lambda y, p: held * y

    assert describe(native) == describe(native)
    assert describe(constant(1.0)) == describe(constant(1.0)) != describe(constant(2.0))
    with pytest.raises(Opaque):
        describe(closure(tf.Variable(1.0)))


def test_fingerprints_notice_attributes_that_a_method_sets() -> None:
    class Model:
        def __init__(self) -> None:
            self.rate = 0.1

        def build(self, hp: Any) -> Any:
            self.rate = hp

    model = Model()
    before = fingerprint(model.build)
    assert fingerprint(model.build) == before
    model.build(0.2)
    assert fingerprint(model.build) != before


def test_fingerprints_notice_globals_that_are_only_set(monkeypatch: Any) -> None:
    def build(hp: Any) -> None:
        global FACTOR
        FACTOR = hp

    before = fingerprint(build)
    monkeypatch.setitem(globals(), "FACTOR", 5.0)
    assert fingerprint(build) != before


def test_fingerprints_of_endless_structures_end(monkeypatch: Any) -> None:
    monkeypatch.setattr(captured_state, "_MAX_OBJECTS", 50)
    chain: list[Any] = []
    chain.append(chain)
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    assert fingerprint(closure(chain)) == fingerprint(closure(chain))
    hash(fingerprint(closure(deep)))
