"""Ensembles: the average of several models, saved, loaded and evaluated as one model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.training.ensemble import average_models

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype("float32")
LABELS = (X[:, 0] > 0).astype("int64")


def dense(units: int, head: Any, loss: Any, metrics: list[str], width: int = 3) -> keras.Model:
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(width, "tanh"), keras.layers.Dense(units, head)]
    )
    model.compile("adam", loss, metrics=metrics)
    return model


def two_outputs(width: int) -> keras.Model:
    x = keras.Input((4,), name="table")
    hidden = keras.layers.Dense(width, "relu")(x)
    label = keras.layers.Dense(3, "softmax", name="label")(hidden)
    number = keras.layers.Dense(1, name="number")(hidden)
    model = keras.Model({"table": x}, {"label": label, "number": number})
    model.compile(
        "sgd",
        {"label": "sparse_categorical_crossentropy", "number": "mse"},
        metrics={"label": ["accuracy"]},
    )
    return model


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    def __init__(self, width: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width = width
        self.hidden = keras.layers.Dense(width, "relu")
        self.head = keras.layers.Dense(1, "sigmoid")

    def call(self, x: Any) -> Any:
        return self.head(self.hidden(x))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "width": self.width}


def subclassed(width: int) -> keras.Model:
    model = Subclassed(width)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model(X)
    return model


def deferred(width: int) -> keras.Model:
    model = keras.Sequential([keras.layers.Dense(width), keras.layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.build((None, 4))
    return model


MODELS: dict[str, Callable[[int], keras.Model]] = {
    "binary": lambda w: dense(1, "sigmoid", "binary_crossentropy", ["accuracy"], w),
    "classes": lambda w: dense(3, "softmax", "sparse_categorical_crossentropy", ["accuracy"], w),
    "labels": lambda w: dense(5, "sigmoid", "binary_crossentropy", ["auc"], w),
    "regression": lambda w: dense(1, None, "mse", ["mae"], w),
    "outputs": two_outputs,
    "subclassed": subclassed,
    "deferred": deferred,
}


def predictions(model: keras.Model, kind: str) -> list[np.ndarray]:
    x = {"table": X} if kind == "outputs" else X
    return [np.asarray(one) for one in keras.tree.flatten(model.predict(x, verbose=0))]


@pytest.mark.parametrize("kind", MODELS)
def test_it_predicts_the_mean_of_its_members_saved_and_loaded(kind: str, tmp_path: Path) -> None:
    members = [MODELS[kind](width) for width in (2, 3, 5)]
    expected = [
        np.mean(parts, axis=0) for parts in zip(*(predictions(one, kind) for one in members))
    ]
    model = average_models(members, ["trial_4", "trial_0", "trial_7"], inputs=X)
    path = tmp_path / "ensemble.keras"
    model.save(path)
    for one in (model, keras.models.load_model(path)):
        for mean, right in zip(predictions(one, kind), expected, strict=True):
            np.testing.assert_allclose(mean, right, atol=1e-6)
    lines: list[str] = []
    model.summary(print_fn=lambda text, **_: lines.append(text))
    assert all(name in "\n".join(lines) for name in ("trial_4", "trial_0", "trial_7"))


@pytest.mark.parametrize("kind", MODELS)
def test_weights_are_those_of_a_weighted_mean_saved_and_loaded(kind: str, tmp_path: Path) -> None:
    members = [MODELS[kind](width) for width in (2, 3)]
    pairs = [*zip(*(predictions(one, kind) for one in members))]
    model = average_models(members, ["a", "b"], inputs=X, weights=[0.25, 0.75])
    path = tmp_path / "ensemble.keras"
    model.save(path)
    for one in (model, keras.models.load_model(path)):
        for mean, (first, second) in zip(predictions(one, kind), pairs, strict=True):
            np.testing.assert_allclose(mean, 0.25 * first + 0.75 * second, atol=1e-6)


def test_it_evaluates_with_the_loss_and_metrics_of_its_members() -> None:
    members = [MODELS["binary"](width) for width in (2, 3)]
    mean = np.mean([predictions(one, "binary")[0] for one in members], axis=0).reshape(-1)
    logs = average_models(members, ["a", "b"]).evaluate(X, LABELS, verbose=0, return_dict=True)
    right = keras.losses.binary_crossentropy(LABELS.astype("float32"), mean)
    assert logs["loss"] == pytest.approx(float(right), abs=1e-5)
    assert logs["accuracy"] == pytest.approx(float(((mean > 0.5) == LABELS).mean()))


def test_several_outputs_are_evaluated_by_name() -> None:
    model = average_models([two_outputs(2), two_outputs(3)], ["a", "b"])
    targets = {"label": LABELS, "number": X[:, 0]}
    logs = model.evaluate({"table": X}, targets, verbose=0, return_dict=True)
    assert "label_accuracy" in logs and np.isfinite(logs["loss"])


@pytest.mark.parametrize("classes", [1, 3])
def test_logits_are_averaged_as_probabilities(classes: int, tmp_path: Path) -> None:
    make: Any = (
        keras.losses.BinaryCrossentropy
        if classes == 1
        else keras.losses.SparseCategoricalCrossentropy
    )
    members = [dense(classes, None, make(from_logits=True), [], width) for width in (2, 3)]
    squash = keras.ops.sigmoid if classes == 1 else keras.ops.softmax
    probabilities = np.mean([np.asarray(squash(one(X))) for one in members], axis=0)
    model = average_models(members, ["a", "b"])
    model.save(tmp_path / "logits.keras")
    for one in (model, keras.models.load_model(tmp_path / "logits.keras")):
        np.testing.assert_allclose(squash(one.predict(X, verbose=0)), probabilities, atol=1e-5)


def test_dropout_is_off_and_batch_statistics_are_fixed() -> None:
    def noisy() -> keras.Model:
        layers = [keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
        return keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(1)])

    members = [noisy(), noisy()]
    mean = np.mean([np.asarray(one(X, training=False)) for one in members], axis=0)
    np.testing.assert_allclose(
        average_models(members, ["a", "b"])(X, training=False), mean, atol=1e-6
    )


def test_one_member_is_that_model() -> None:
    member = MODELS["regression"](3)
    expected = predictions(member, "regression")[0]
    model = average_models([member], ["only"])
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, atol=1e-6)


def test_what_cannot_be_averaged_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one model"):
        average_models([], [])
    with pytest.raises(InvalidInput, match="equal shapes"):
        average_models([MODELS["binary"](2), MODELS["classes"](2)], ["a", "b"])
    other = keras.Sequential([keras.Input((7,)), keras.layers.Dense(1)])
    with pytest.raises(InvalidInput, match="same inputs"):
        average_models([MODELS["regression"](2), other], ["a", "b"])
    with pytest.raises(InvalidInput, match="not known"):
        average_models([subclassed(2)], ["a"])
