"""The models of a search that a comparison evaluates besides the winner: a replayed schedule."""

from __future__ import annotations

from types import SimpleNamespace

import keras
import numpy as np
import pytest

import kerashpo as kt
from kerashpo.compare.models import replayed
from tests.helpers.small_models import DATA

TASK = SimpleNamespace(batch_size=DATA["batch_size"])
SPLIT = SimpleNamespace(train=(DATA["x"], DATA["y"]))


def build(hp):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, "sigmoid")])
    rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
    model.compile(keras.optimizers.SGD(rate), "binary_crossentropy")
    return model


def search(folder):
    shape = {"population": 4, "interval": 1, "max_epochs": 4, "seed": 3}
    tuner = kt.PBT(build, "val_loss", **shape, directory=folder)
    tuner.search(**DATA)
    return tuner


def test_a_schedule_is_trained_anew_from_other_weights(tmp_path):
    tuner = search(tmp_path)
    best, line = tuner.results.best, tuner.results.schedule()
    first, again = (replayed(tuner, SPLIT, TASK) for _ in range(2))
    winner = tuner.get_best_models(1)[0]
    for mine, same, other in zip(first.weights, again.weights, winner.weights, strict=True):
        assert np.array_equal(mine, same) and not np.array_equal(mine, other)
    assert int(first.optimizer.iterations) == best.epoch * 3  # 48 rows in batches of 16
    assert len(set(line["value"])) > 1  # the winner's values did change
    assert float(first.optimizer.learning_rate) == pytest.approx(line["value"].iloc[-1])


def test_what_has_no_schedule_or_cannot_replay_it_has_no_such_model(tmp_path):
    plain = kt.RandomSearch(build, "val_loss", max_trials=2, seed=0, directory=tmp_path / "plain")
    plain.search(**DATA, epochs=1)
    assert replayed(plain, SPLIT, TASK) is None
    sizes = kt.Space({"batch_size": kt.space.integer(8, 32)})
    options = {"fit_hp": sizes, "mutate": ["batch_size"]}
    tuner = kt.PBT(build, "val_loss", 4, 1, 4, seed=0, directory=tmp_path / "sizes", **options)
    tuner.search(**{name: value for name, value in DATA.items() if name != "batch_size"})
    assert replayed(tuner, SPLIT, TASK) is None
