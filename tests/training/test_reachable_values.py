"""Reachable values: found wherever code reads them, changed in place, and left alone otherwise."""

from __future__ import annotations

import enum
import functools
import types
from collections import deque
from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.training.reachable_values import ReachableValues

NUMBERS = {"a": 1.0, "b": [1, 2]}
MODULE = types.ModuleType("settings")
MODULE.value = 1.0  # type: ignore[attr-defined]


class Options:
    shared = 1

    def __init__(self) -> None:
        self.mine: Any = 1
        self.window: Any = deque([1], maxlen=2)
        self.array = np.ones(2)
        self.anything: Any = None


OPTIONS = Options()


def inner(y: Any) -> Any:
    return NUMBERS["a"] * y


def loss(y: Any, p: Any, factor: Any, defaults: Any = [1.0]) -> Any:  # noqa: B006
    return inner(p) * MODULE.value * OPTIONS.mine * factor["x"] * defaults[0]


@pytest.fixture
def model() -> keras.Model:
    made = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    made.compile("sgd", functools.partial(loss, factor={"x": 2.0}))
    return made


def change_all() -> None:
    NUMBERS["a"], OPTIONS.mine, Options.shared = 5.0, "text", 2
    NUMBERS["b"].append(3)
    OPTIONS.window.append(7)
    OPTIONS.array[0] = 3
    MODULE.value = 2.0
    loss.__defaults__[0][0] = 9.0


def test_changes_are_found_and_taken_back_in_place(model: Any) -> None:
    reach, numbers, window = ReachableValues(model), NUMBERS["b"], OPTIONS.window
    before = reach.read()
    assert not reach.changes(before)
    change_all()
    model.optimizer.momentum = 0.5
    model.loss.keywords["factor"]["x"] = 3.0
    changed = reach.changes(before)
    assert len(changed) == 9
    reach.write(before)
    assert not reach.changes(before)
    assert (NUMBERS["a"], OPTIONS.mine, Options.shared, MODULE.value) == (1.0, 1, 1, 1.0)
    assert model.optimizer.momentum == 0.0 and model.loss.keywords["factor"]["x"] == 2.0
    assert OPTIONS.window is window and list(window) == [1] and window.maxlen == 2
    reach.write({**before, **changed})
    assert numbers == [1, 2, 3] and OPTIONS.array.tolist() == [3, 1] and loss.__defaults__[0] == [9]
    reach.write(before)


def test_what_is_no_longer_a_plain_value_is_left_alone(model: Any) -> None:
    reach = ReachableValues(model)
    before = reach.read()
    OPTIONS.anything = held = object()
    assert not reach.changes(before)
    reach.write(before)
    assert OPTIONS.anything is held
    OPTIONS.anything = None


def test_state_of_keras_itself_is_not_touched(model: Any) -> None:
    reach = ReachableValues(model)
    before = reach.read()
    model.fit(np.ones((4, 2)), np.ones(4), verbose=0)
    model.stop_training = True
    assert not reach.changes(before)


def test_attributes_that_objects_get_later_count(model: Any) -> None:
    reach = ReachableValues(model)
    before = reach.read()
    model.seen, model.layers[0].seen, OPTIONS.later = 3, [1], {"a": 1}
    changed = reach.changes(before)
    assert sorted(changed.values(), key=str) == [3, [1], {"a": 1}]
    reach.write(before)
    assert not hasattr(model, "seen") and not hasattr(OPTIONS, "later")
    reach.write({**before, **changed})
    assert (model.seen, model.layers[0].seen, OPTIONS.later) == (3, [1], {"a": 1})
    reach.write(before)


class Phase(enum.Enum):
    WARM_UP = 1


def test_a_mapping_of_objects_is_left_alone(model: Any, monkeypatch: Any) -> None:
    """It can neither be compared nor kept in a checkpoint; one of texts or members can."""
    monkeypatch.setattr(OPTIONS, "anything", {object(): 1.0})
    monkeypatch.setattr(OPTIONS, "mine", {Phase.WARM_UP: 1.0, ("a", 2): 3.0})
    reach = ReachableValues(model)
    before = reach.read()
    OPTIONS.anything[object()] = 2.0
    assert reach.changes(before) == {}
    OPTIONS.mine[Phase.WARM_UP] = 2.0
    (changed,) = reach.changes(before).values()
    assert changed[Phase.WARM_UP] == 2.0
    reach.write(before)
    assert OPTIONS.mine[Phase.WARM_UP] == 1.0 and len(OPTIONS.anything) == 2
