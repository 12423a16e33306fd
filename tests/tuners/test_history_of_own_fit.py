"""A `HyperModel.fit` that goes on with a promoted trial has the `History` of all its epochs."""

from __future__ import annotations

from typing import Any

import keras
import pytest

import kerashpo as kt
from tests.helpers.small_models import DATA, build_few, eagerly, place


class Reads(keras.callbacks.Callback):
    """Logs how many epochs `model.history` has, and the sum of its losses."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        past = self.model.history.history.get("loss", [])
        logs["seen"], logs["losses"] = float(len(self.model.history.epoch)), float(sum(past))


class Own(kt.HyperModel):
    """Returns the lowest loss of the History that `model.fit` returns, with its length."""

    def __init__(self, eager: bool) -> None:
        super().__init__()
        self.eager, self.lengths = eager, []

    def build(self, hp: Any) -> keras.Model:
        model = build_few(hp)
        return eagerly(model) if self.eager else model

    def fit(self, hp: Any, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        history = model.fit(*args, **kwargs)
        assert history is model.history
        self.lengths.append(len(history.history["loss"]))
        return {"val_loss": max(history.history["val_loss"])}


@pytest.mark.parametrize("keep", [None, 0], ids=["in memory", "from checkpoints"])
@pytest.mark.parametrize("eager", [False, True])
def test_the_history_is_that_of_an_uninterrupted_fit(
    eager: bool, keep: int | None, tmp_path: Any
) -> None:
    own = Own(eager)
    kept = {} if keep is None else {"keep_in_memory": keep}
    tuner = kt.Hyperband(own, max_epochs=3, factor=3, **kept, **place(tmp_path))
    tuner.search(**DATA, callbacks=[Reads()])
    assert tuner.results.failures().empty
    promoted = [t for t in tuner.results.history.trials.values() if t.targets == [1, 3]]
    assert promoted
    for trial in promoted:
        losses = [trial.reports[0][epoch].metrics for epoch in (1, 2, 3)]
        assert [one["seen"] for one in losses] == [0.0, 1.0, 2.0]
        sums = [0.0, losses[0]["loss"], losses[0]["loss"] + losses[1]["loss"]]
        assert [one["losses"] for one in losses] == pytest.approx(sums, rel=1e-6)
        # What fit returns is read from all three epochs.
        assert trial.score == pytest.approx(max(one["val_loss"] for one in losses), rel=1e-6)
    assert sorted(set(own.lengths)) == [1, 3]


class OwnLoop(Own):
    """Sets the callbacks' model and calls `on_epoch_end`, but not `on_train_begin`."""

    def fit(self, hp: Any, model: keras.Model, *args: Any, callbacks: Any, **kwargs: Any) -> Any:
        for callback in callbacks:
            callback.set_model(model)
        for epoch in range(2):
            for callback in callbacks:
                callback.on_epoch_end(epoch, {"val_loss": 2.0 - epoch})
        return 1.0


def test_a_loop_that_only_ends_epochs_is_reported(tmp_path: Any) -> None:
    tuner = kt.RandomSearch(OwnLoop(False), max_trials=1, **place(tmp_path))
    tuner.search(**DATA)
    assert tuner.results.failures().empty
    (trial,) = tuner.results.history.trials.values()
    assert [trial.reports[0][epoch].metrics["val_loss"] for epoch in (1, 2)] == [2.0, 1.0]
