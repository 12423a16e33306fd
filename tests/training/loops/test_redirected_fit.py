"""Calls of `model.fit` in the user's own `fit` train in compiled epochs, as Keras would."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import kerashpo as kt
from kerashpo.training.data import FitData
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.training.loops.model_fit import EpochStart
from kerashpo.training.loops.redirected_fit import FitRedirect
from kerashpo.training.randomness import EpochKeys, seeded_build
from tests.helpers.small_models import LABELS, ROWS, place

KEYS = EpochKeys(0, 0)


def make(trial: int = 0) -> keras.Model:
    with seeded_build(0, trial):
        parts = [keras.layers.Dense(5, "relu"), keras.layers.Dropout(0.3)]
        model = keras.Sequential([keras.Input((4,)), *parts, keras.layers.Dense(1, "sigmoid")])
        adam = keras.optimizers.Adam(0.01)
        model.compile(adam, "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model


def redirected(redirect: FitRedirect, model: keras.Model, **given: Any) -> tuple[Any, list[Any]]:
    """Returns what the call returned, and the loops that it noted."""
    noted: list[Any] = []
    fit = redirect.of(model, 0, KEYS, lambda kind, reason: noted.append((kind, reason)))
    hooks = [EpochStart(KEYS)]
    arguments = {"y": LABELS, "shuffle": False, "callbacks": hooks, "epochs": 3} | given
    return fit(arguments.pop("x", ROWS), **arguments), noted


@pytest.mark.parametrize("batch", [8, 13])
def test_a_redirected_call_returns_what_keras_returns(batch: int) -> None:
    given = {"batch_size": batch, "validation_split": 0.25, "class_weight": {0: 0.5, 1: 2.0}}
    one, two = make(), make()
    ours, noted = redirected(FitRedirect(CompiledLoop()), one, **given)
    theirs, plain = redirected(FitRedirect(CompiledLoop(), fast=False), two, **given)
    assert (noted[0][0], plain[0]) == (
        "compiled",
        ("plain", "HyperModel.fit calls model.fit: fast=False"),
    )
    assert ours.epoch == theirs.epoch == [0, 1, 2]
    assert ours.history.keys() == theirs.history.keys()
    for name, values in theirs.history.items():
        np.testing.assert_allclose(ours.history[name], values, atol=2e-5)
    for mine, their in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_allclose(mine, their, atol=1e-4)


def test_batch_sizes_and_equal_arrays_share_a_trace_and_a_copy_of_the_data() -> None:
    loop = CompiledLoop()
    redirect = FitRedirect(loop)
    for trial, batch in enumerate((8, 16, 5)):
        redirected(redirect, make(trial), x=ROWS.copy(), batch_size=batch)
    assert len(redirect._arrays) == 1
    if keras.backend.backend() == "tensorflow":
        (trace,) = loop.engine._shared._entries.values()
        assert len(trace._graphs) == 1


def test_arrays_that_user_code_changes_in_place_are_read_anew() -> None:
    redirect, rows = FitRedirect(CompiledLoop()), ROWS.copy()
    redirected(redirect, make(), x=rows)
    rows *= -1
    ours, _ = redirected(redirect, make(), x=rows)
    theirs, _ = redirected(FitRedirect(CompiledLoop()), make(), x=-ROWS)
    assert ours.history == theirs.history


def test_calls_without_the_callbacks_and_generators_go_to_keras() -> None:
    redirect = FitRedirect(CompiledLoop())
    _, noted = redirected(redirect, make(), callbacks=None, epochs=1)
    assert noted == [
        (
            "plain",
            "HyperModel.fit calls model.fit: HyperModel.fit does not pass on the callbacks",
        )
    ]
    batches = ((ROWS[:8], LABELS[:8]) for _ in range(4))
    done, noted = redirected(redirect, make(), x=batches, y=None, epochs=1, steps_per_epoch=4)
    assert done.epoch == [0] and noted == []


class Batched(kt.HyperModel):
    def build(self, hp: Any) -> keras.Model:
        return make()

    def fit(self, hp: Any, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        return model.fit(*args, batch_size=hp.Choice("batch_size", [8, 16]), **kwargs)


def test_a_promoted_trial_of_a_redirected_fit_continues_exactly(tmp_path: Any) -> None:
    data = {"x": ROWS[:48], "y": LABELS[:48], "validation_data": (ROWS[48:], LABELS[48:])}
    tuner = kt.Hyperband(Batched(), max_epochs=3, factor=3, **place(tmp_path))
    tuner.search(**data, verbose=0)
    trials = tuner.results.history.trials.values()
    (promoted,) = [trial for trial in trials if trial.targets == [1, 3]]
    assert promoted.facts["training"] == "compiled"
    whole, received = make(), []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda _, logs: received.append(logs["loss"])
    )
    fitted = FitData.from_fit(**data, batch_size=promoted.config["batch_size"])
    CompiledLoop().train(whole, fitted, 1, 3, [keep], EpochKeys(0, promoted.number))
    assert received == [promoted.reports[0][epoch].metrics["loss"] for epoch in (1, 2, 3)]
