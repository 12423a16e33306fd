"""What `build_model` and `search` share between trials starts each of them as the first."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import kerashpo as kt
from kerashpo.training.data import FitData
from kerashpo.training.dataset_state import dataset_states
from tests.helpers.fit_cases.case import LABELS, ROWS
from tests.helpers.fit_cases.data import HELD_OUT, Batches, Shuffled

RATES = [0.3, 0.1, 0.03]


def glorot(seed: int) -> keras.initializers.Initializer:
    return keras.initializers.GlorotUniform(seed)


def compiled(rate: float, first: keras.layers.Layer) -> keras.Model:
    last = keras.layers.Dense(1, "sigmoid", kernel_initializer=glorot(2))
    model = keras.Sequential([keras.Input((6,)), first, last])
    model.compile(keras.optimizers.SGD(rate), "binary_crossentropy", run_eagerly=True)
    return model


def assert_each_trial_is_a_fit_of_its_own(tuner: kt.Tuner, fit: Any) -> None:
    """Compares the losses of every trial with those of `fit(rate, epochs)`."""
    curves = tuner.results.curves()
    for number, trial in tuner.results.history.trials.items():
        mine = curves[(curves.trial == number) & (curves.metric == "loss")].value.tolist()
        np.testing.assert_allclose(mine, fit(trial.config["rate"], len(mine)), rtol=1e-4)
    epochs = sorted(trial.epoch for trial in tuner.results.history.trials.values())
    assert epochs[0] < epochs[-1], "no trial was promoted"


def hyperband(build: Any, folder: Any, **options: Any) -> kt.Tuner:
    return kt.Hyperband(
        build, "val_loss", max_epochs=4, factor=2, seed=0, directory=folder, **options
    )


@pytest.mark.parametrize("keep_in_memory", [pytest.param(10**9, marks=pytest.mark.slow), 0])
def test_a_layer_made_outside_starts_each_trial_with_its_weights(keep_in_memory, tmp_path):
    base = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, "tanh")])
    before = base.get_weights()

    def build(hp: Any) -> keras.Model:
        return compiled(hp.Choice("rate", RATES), base)

    def fit(rate: float, epochs: int) -> list[float]:
        base.set_weights(before)
        made = compiled(rate, base).fit(ROWS, LABELS, epochs=epochs, shuffle=False, verbose=0)
        return made.history["loss"]

    tuner = hyperband(build, tmp_path, keep_in_memory=keep_in_memory)
    data = {"x": ROWS, "y": LABELS, "validation_data": HELD_OUT}
    tuner.search(**data, epochs=4, shuffle=False, verbose=0)
    models, scores = tuner.get_best_models(2), sorted(tuner.results.trials()["score"])
    losses = [model.evaluate(*HELD_OUT, verbose=0) for model in models]
    np.testing.assert_allclose(losses, scores[:2], rtol=1e-4)
    assert_each_trial_is_a_fit_of_its_own(tuner, fit)


def test_a_dataset_starts_each_trial_as_it_was_given(tmp_path):
    def build(hp: Any) -> keras.Model:
        first = keras.layers.Dense(4, "tanh", kernel_initializer=glorot(1))
        return compiled(hp.Choice("rate", RATES), first)

    def fit(rate: float, epochs: int) -> list[float]:
        first = keras.layers.Dense(4, "tanh", kernel_initializer=glorot(1))
        made = compiled(rate, first).fit(Shuffled(), epochs=epochs, shuffle=False, verbose=0)
        return made.history["loss"]

    tuner, given = hyperband(build, tmp_path), Shuffled()
    tuner.search(given, validation_data=HELD_OUT, epochs=4, shuffle=False, verbose=0)
    assert_each_trial_is_a_fit_of_its_own(tuner, fit)
    np.testing.assert_array_equal(given.rows, np.arange(40))


SCALES = {"loss": 2.0}


class Halve(keras.callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        SCALES["loss"] *= 0.5
        logs["scale"] = SCALES["loss"]


@pytest.mark.parametrize("fast", ["auto", False])
def test_values_that_a_callback_changes_start_each_trial_as_the_first(fast, tmp_path):
    def loss(y: Any, p: Any) -> Any:
        return SCALES["loss"] * keras.ops.mean((y - p) ** 2, axis=-1)

    def build(hp: Any) -> keras.Model:
        first = keras.layers.Dense(4, "tanh", kernel_initializer=glorot(1))
        model = compiled(hp.Choice("rate", RATES), first)
        model.compile(model.optimizer, loss)
        return model

    def fit(rate: float, epochs: int) -> list[float]:
        first = keras.layers.Dense(4, "tanh", kernel_initializer=glorot(1))
        model = compiled(rate, first)
        model.compile(model.optimizer, loss)
        given = {"epochs": epochs, "shuffle": False, "verbose": 0, "callbacks": [Halve()]}
        losses = model.fit(ROWS, LABELS, **given).history["loss"]
        SCALES["loss"] = 2.0
        return losses

    tuner = kt.Hyperband(
        build,
        kt.Objective("scale", "min"),
        max_epochs=4,
        factor=2,
        seed=0,
        directory=tmp_path,
        keep_in_memory=0,
        fast=fast,
    )
    tuner.search(ROWS, LABELS, epochs=4, shuffle=False, verbose=0, callbacks=[Halve()])
    assert SCALES == {"loss": 2.0}
    assert_each_trial_is_a_fit_of_its_own(tuner, fit)


def test_copies_of_a_dataset_share_samples_but_not_indices():
    class Large(Shuffled):
        def __init__(self) -> None:
            super().__init__()
            self.samples, self.rows = np.zeros((2**18, 2), "float32"), np.arange(2**18)

    given = Large()
    [state] = dataset_states(FitData.from_fit(given))
    mine = state.wrapped.stateful
    assert mine.samples is given.samples and mine.rows is not given.rows
    assert mine.rng is not given.rng
    assert dataset_states(FitData.from_fit(Batches())) == []
