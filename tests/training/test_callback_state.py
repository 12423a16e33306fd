"""What callbacks remember continues in another process: every attribute that can be pickled."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.store.blobs import MemoryBlobs
from kerashpo.training.callback_state import CallbackState
from tests.helpers.training_rig import Rig, build


@dataclass
class Seen:
    count: int


class Remembering(keras.callbacks.Callback):
    """Keeps what it saw in every kind of container."""

    begins = 0

    def __init__(self) -> None:
        super().__init__()
        self.best, self.note = np.float32(0), ""
        self.losses: list[float] = []
        self.window: deque[float] = deque(maxlen=2)
        self.by_epoch: dict[int, dict[str, Any]] = {}
        self.counts, self.groups = Counter(), defaultdict(list)
        self.array, self.ordered = np.zeros(3), OrderedDict()
        self.seen, self.kinds = Seen(0), {"start"}
        self.path, self.large = Path("a"), np.zeros(10**5)

    def on_train_begin(self, logs: Any = None) -> None:
        type(self).begins += 1
        self.losses, self.first = [], self.model.layers[0]
        self.watched = [self.model.layers[0].kernel]
        self.hook = self.on_epoch_end

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.best, self.note = np.float32(logs["loss"]), f"epoch {epoch}"
        self.losses.append(logs["loss"])
        self.window.append(logs["loss"])
        self.by_epoch[epoch] = {"loss": [logs["loss"]], "weights": self.model.get_weights()}
        self.counts["epochs"] += 1
        self.groups[epoch % 2].append(epoch)
        self.array[epoch % 3] += 1
        self.ordered[str(epoch)] = (epoch, None)
        self.seen.count += 1
        self.kinds.add(epoch)
        self.path = self.path / str(epoch)


def plain(value: Any) -> Any:
    """Returns nested values with arrays as lists, to be compared."""
    match value:
        case np.ndarray():
            return value.tolist()
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list() | tuple() | deque():
            return [plain(item) for item in value]
        case _:
            return value


REFERENCES = {"first", "watched", "hook"}


def attributes(callback: Any) -> dict[str, Any]:
    own = {k: v for k, v in vars(callback).items() if k not in {"_model", "params", *REFERENCES}}
    return plain(own)


@pytest.mark.parametrize("fast", [True, False])
def test_every_attribute_continues_in_another_process(fast: bool) -> None:
    Remembering.begins = 0
    whole = Rig(callbacks=[Remembering()], settings={"fast": fast})
    whole.start(4)
    blobs = MemoryBlobs()
    Rig(callbacks=[Remembering()], settings={"fast": fast}, blobs=blobs).start(2)
    rest = Rig(callbacks=[Remembering()], settings={"fast": fast}, blobs=blobs)
    rest.resume(4)
    mine, theirs = (rig.live().callbacks[0].wrapped for rig in (rest, whole))
    assert attributes(mine) == attributes(theirs)
    assert Remembering.begins == 2  # once a trial, not once a process
    layer = rest.live().model.layers[0]
    assert mine.first is layer and mine.watched == [layer.kernel]
    assert mine.hook.__self__ is mine


class Opening(keras.callbacks.Callback):
    """Opens something in ``on_train_begin`` that no pickle can hold."""

    def __init__(self) -> None:
        super().__init__()
        self.lock: Any = None
        self.losses: list[float] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.lock, self.losses = threading.Lock(), []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        with self.lock:
            self.losses.append(logs["loss"])


def test_what_cannot_be_saved_is_opened_again_and_the_rest_kept() -> None:
    blobs = MemoryBlobs()
    first = Rig(callbacks=[Opening()], blobs=blobs)
    first.start(2)
    second = Rig(callbacks=[Opening()], blobs=blobs)
    second.resume(3)
    losses = [report.metrics["loss"] for report in (*first.reports, *second.reports)]
    assert second.live().callbacks[0].wrapped.losses == losses


@pytest.fixture(scope="module")
def model() -> keras.Model:
    rig = Rig(build)
    rig.start(1)
    return rig.live().model


def test_unchanged_attributes_are_left_out(model: keras.Model) -> None:
    callback = Remembering()
    state = CallbackState(callback)
    empty, lost = state.save(model)
    assert not lost and state.load(empty, model) == {}
    callback.large[0] = 1.0
    changed, _ = state.save(model)
    assert set(state.load(changed, model)) == {"large"}
    assert len(changed) > callback.large.nbytes > 100 * len(empty)


def test_functions_and_classes_of_a_script_are_kept_by_value(model: keras.Model) -> None:
    callback = keras.callbacks.Callback()
    state = CallbackState(callback)
    factor = 3
    callback.scale = lambda x: factor * x
    callback.kind = type("Local", (), {"value": 5})
    callback.op = keras.ops.less
    found = state.load(state.save(model)[0], model)
    assert found["scale"](2) == 6 and found["kind"].value == 5
    assert found["op"] is keras.ops.less


def test_another_model_is_kept_if_it_changed(model: keras.Model) -> None:
    callback = keras.callbacks.Callback()
    callback.teacher = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    state = CallbackState(callback)
    assert state.load(state.save(model)[0], model) == {}
    callback.teacher.set_weights([np.ones((2, 1)), np.ones(1)])
    (teacher,) = state.load(state.save(model)[0], model).values()
    assert teacher.get_weights()[0].tolist() == [[1.0], [1.0]]


def test_a_state_that_cannot_be_read_is_an_error(model: keras.Model) -> None:
    state = CallbackState(Remembering())
    with pytest.raises(ValueError, match="state of the callback Remembering cannot be read"):
        state.load(b"nonsense", model)


def test_callbacks_of_our_own_are_not_looked_at(model: keras.Model) -> None:
    from kerashpo.training.user_callbacks import ReportCallback

    state = CallbackState(ReportCallback(lambda epoch, metrics: False))
    assert state.load(state.save(model)[0], model) == {}
