"""A plan says which models train in compiled epochs, and why others do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kerashpo as kt

pytestmark = pytest.mark.skipif(
    keras.backend.backend() not in ("tensorflow", "jax"), reason="epochs are compiled there"
)
X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
Y = (X[:, 0] > 0).astype("float32")
GIVEN: dict[str, Any] = {"x": X, "y": Y, "validation_data": (X, Y)}


class OwnStep(keras.Model):
    """A model whose step is traced like Keras's own."""

    def train_step(self, *given: Any) -> Any:
        return super().train_step(*given)


class OwnLoop(keras.Model):
    """A model with a training loop of its own."""

    def fit(self, *given: Any, **options: Any) -> Any:
        return super().fit(*given, **options)


class EveryBatch(keras.callbacks.Callback):
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None: ...


class Batches(keras.utils.PyDataset):
    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Any:
        return X, Y


def build(kind: Any = keras.Model, **options: Any) -> Callable[[Any], keras.Model]:
    def build_model(hp: Any) -> keras.Model:
        inputs = keras.Input((3,))
        outputs = keras.layers.Dense(1, "sigmoid")(keras.layers.Dense(hp.Int("n", 2, 4))(inputs))
        model = kind(inputs, outputs)
        model.compile("sgd", "binary_crossentropy", **options)
        return model

    return build_model


def notes(tuner: kt.Tuner) -> list[str]:
    return [note for note in tuner.plan().notes if note.startswith("train")]


CASES: dict[str, tuple[Any, dict[str, Any], str]] = {
    "arrays": (build(), GIVEN, ""),
    "a train_step of its own": (build(OwnStep), GIVEN, ""),
    "a loop of its own": (build(OwnLoop), GIVEN, "the model overrides fit"),
    "eager": (build(run_eagerly=True), GIVEN, "the model runs eagerly"),
    "dataset": (
        build(),
        {"x": Batches(), "validation_data": (X, Y)},
        "the data are not dense arrays",
    ),
    "callback": (
        build(),
        {**GIVEN, "callbacks": [EveryBatch()]},
        "the callback EveryBatch listens to batches",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_plan_and_display_say_who_trains(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, given, why = CASES[case]
    tuner = kt.RandomSearch(model, "val_loss", max_trials=1, seed=0, directory=tmp_path)
    of_the_model = why.startswith("the model")
    assert notes(tuner) == ([f"training by model.fit, as {why}"] if of_the_model else [])
    tuner.search(**given, epochs=1, verbose=1)
    assert (f"training by model.fit, as {why}" in capsys.readouterr().out) is bool(why)
    done = f"by model.fit, as {why}" if why else "in compiled epochs"
    assert notes(tuner) == [f"trained {done}: 1 trial"]


def test_what_was_asked_for_is_no_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given: dict[str, Any] = {"max_trials": 1, "seed": 0, "directory": tmp_path, "fast": False}
    tuner = kt.RandomSearch(build(), "val_loss", **given, lang="es")
    tuner.search(**GIVEN, epochs=1, verbose=1)
    assert "model.fit" not in capsys.readouterr().out
    assert "entrenados por model.fit, pues fast=False: 1 ensayo" in str(tuner.plan())
