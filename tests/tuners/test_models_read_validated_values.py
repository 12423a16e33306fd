"""Stored models evaluate and predict with the plain values that their trial was validated with."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import kerashpo as kt

ops = keras.ops
ROWS = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
TARGETS = ROWS[:, :1] * 0.5 + ROWS[:, 1:2]
SETTINGS = {"weight": 1.0, "shift": 0.0}


def loss(y: Any, p: Any) -> Any:
    return SETTINGS["weight"] * ops.mean((y - p) ** 2, axis=-1)


@keras.saving.register_keras_serializable("strangers")
class Scaled(keras.layers.Layer):
    """Reads an attribute of its own, and a global."""

    def __init__(self, scale: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, x: Any) -> Any:
        return x * self.scale + SETTINGS["shift"]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale}


class Changes(keras.callbacks.Callback):
    """Changes all values at the first epoch's start, and again at each epoch's end."""

    def on_train_begin(self, logs: Any = None) -> None:
        self._set(3.0, 0.25)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._set(7.0 + epoch, 0.75)

    def _set(self, weight: float, shift: float) -> None:
        SETTINGS.update(weight=weight, shift=shift)
        for layer in self.model.layers:
            if isinstance(layer, Scaled):
                layer.scale = 1.0 + shift


def build(hp: Any, eager: bool = False) -> keras.Model:
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(hp.Int("units", 3, 5), "tanh")(inputs)
    model = keras.Model(inputs, Scaled()(keras.layers.Dense(1)(hidden)))
    model.compile("sgd", loss, metrics=["mae"], run_eagerly=eager)
    return model


@pytest.fixture(autouse=True)
def unchanged_settings() -> Any:
    yield
    SETTINGS.update(weight=1.0, shift=0.0)


@pytest.fixture(scope="module", params=["compiled", "plain", "eager"])
def tuner(request: Any, tmp_path_factory: Any) -> Any:
    SETTINGS.update(weight=1.0, shift=0.0)
    made = kt.RandomSearch(
        lambda hp: build(hp, request.param == "eager"),
        "val_loss",
        max_trials=2,
        seed=0,
        directory=tmp_path_factory.mktemp(request.param),
        fast="auto" if request.param == "compiled" else False,
    )
    data = {"validation_data": (ROWS, TARGETS), "callbacks": [Changes()]}
    made.search(ROWS, TARGETS, epochs=2, verbose=0, **data)
    assert not len(made.results.failures()), made.results.failures().iloc[0].to_dict()
    assert SETTINGS == {"weight": 1.0, "shift": 0.0}
    return made


def test_a_stored_model_evaluates_to_its_score(tuner: Any, tmp_path: Any) -> None:
    models, results = tuner.get_best_models(2), tuner.results
    order = results.trials().sort_values("score").index[:2]
    for model, score in zip(models, results.trials().loc[order, "score"], strict=True):
        found = model.evaluate(ROWS, TARGETS, verbose=0, return_dict=True)
        assert found["loss"] == pytest.approx(score, rel=1e-5)
        assert SETTINGS == {"weight": 1.0, "shift": 0.0}
        weight = found["loss"] / np.mean((model.predict(ROWS, verbose=0) - TARGETS) ** 2)
        in_validation = next(w for w in (3.0, 7.0) if weight == pytest.approx(w, rel=1e-4))
        called = ops.convert_to_numpy(model(ROWS))
        np.testing.assert_allclose(called, model.predict(ROWS, verbose=0), atol=1e-6)
        shift = 0.25 if in_validation == 3.0 else 0.75
        assert model.layers[-1].scale == 1.0 + shift
    path = tmp_path / "best.keras"
    model.save(path)
    again = keras.models.load_model(path, custom_objects={"loss": loss})
    assert again.layers[-1].scale == 1.0 + shift
    SETTINGS["shift"] = shift
    again.predict(ROWS, verbose=0)
    np.testing.assert_allclose(
        again.predict(ROWS, verbose=0), model.predict(ROWS, verbose=0), atol=1e-6
    )


def test_an_average_of_stored_models_reads_each_members_values(tuner: Any) -> None:
    average, members = tuner.results.ensemble(2), tuner.get_best_models(2)
    mean = np.mean([one.predict(ROWS, verbose=0) for one in members], axis=0)
    np.testing.assert_allclose(average.predict(ROWS, verbose=0), mean, atol=1e-6)
    member = members[0].evaluate(ROWS, TARGETS, verbose=0)[0]
    weight = member / np.mean((members[0].predict(ROWS, verbose=0) - TARGETS) ** 2)
    expected = weight * np.mean((mean - TARGETS) ** 2)
    assert average.evaluate(ROWS, TARGETS, verbose=0) == pytest.approx(expected, rel=1e-4)


def test_what_the_user_changes_in_a_stored_model_counts(tuner: Any) -> None:
    model = tuner.get_best_models(1)[0]
    error = np.mean((model.predict(ROWS, verbose=0) - TARGETS) ** 2)
    SETTINGS["weight"] = 2.0
    found = model.evaluate(ROWS, TARGETS, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(2.0 * error, rel=1e-5)
    assert SETTINGS == {"weight": 2.0, "shift": 0.0}
