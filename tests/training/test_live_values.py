"""Live values: copies whose values are set on an ended trial's model equal those built anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.training.live_values import set_values
from tests.helpers.training_rig import Rig

ENDED, FIRST, COPY = 1, 5, 7
AT = 2

KINDS: dict[str, dict[str, Any]] = {
    "learning rate": {"rate": 0.05},
    "dropout": {"drop": 0.1},
    "noise": {"noise": 0.4},
    "L2": {"l2": 0.05},
    "L1 and L2": {"l1": 0.05},
    "normalisation": {"normalised": 0.5},
    "optimizer's momentum": {"beta": 0.6},
    "weight decay": {"decay": 0.2},
    "clipping": {"clip": 0.02},
    "label smoothing": {"smooth": 0.3},
    "several": {"rate": 0.03, "drop": 0.45, "l2": 0.02, "smooth": 0.2},
    "zeros": {"l2": 0.0, "smooth": 0.0, "decay": 0.0},
    "none": {},
}


def build(hp: Any) -> keras.Model:
    """Everything that may be set on a live model."""
    l2 = keras.regularizers.L2(hp.Float("l2", 0.0, 0.1, default=0.01))
    l1 = hp.Float("l1", 1e-4, 0.1, default=0.001)
    layers = [
        keras.Input((4,)),
        keras.layers.Dense(8, "relu", kernel_regularizer=l2),
        keras.layers.BatchNormalization(momentum=hp.Float("normalised", 0.1, 0.99, default=0.9)),
        keras.layers.GaussianNoise(hp.Float("noise", 0.0, 0.5, default=0.1)),
        keras.layers.Dropout(hp.Float("drop", 0.0, 0.5, default=0.3)),
        keras.layers.Dense(1, "sigmoid", bias_regularizer=keras.regularizers.L1L2(l1, 0.01)),
    ]
    model = keras.Sequential(layers)
    adam = keras.optimizers.AdamW(
        10 ** hp.Float("log_rate", -3, -1, default=-2) * hp.Float("rate", 0.01, 1.0, default=1.0),
        weight_decay=hp.Float("decay", 0.0, 0.5, default=0.05),
        beta_1=hp.Float("beta", 0.5, 0.99, default=0.9),
        clipnorm=hp.Float("clip", 0.01, 1.0, default=0.5),
    )
    smooth = hp.Float("smooth", 0.0, 0.4, default=0.1)
    loss = keras.losses.BinaryCrossentropy(label_smoothing=smooth)
    model.compile(adam, loss, metrics=["accuracy"], jit_compile=False)
    return model


def copied(
    build: Callable[[Any], keras.Model], frees: bool, values: dict[str, Any], **options: Any
):
    """Returns a rig in which a copy was trained, and the model of a trial that ended before it."""
    rig = Rig(build, **options)
    rig.start(AT)
    rig.start(AT, ENDED)
    rig.fork(AT + 1, FIRST, (0, AT))
    ended = rig.live(ENDED).model
    if frees:
        rig.runner.free(ENDED)
    rig.fork(AT + 2, COPY, (0, AT), **values)
    return rig, ended


def assert_equal(mine: Rig, other: Rig) -> None:
    assert list(mine.curve_of(COPY)) == [AT + 1, AT + 2]
    assert mine.curve_of(COPY) == other.curve_of(COPY)
    for a, b in zip(mine.state(COPY), other.state(COPY), strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("values", KINDS.values(), ids=KINDS)
def test_values_are_set_on_a_live_model(values):
    rig, ended = copied(build, True, values)
    assert rig.live(COPY).model is ended
    reference, other = copied(build, False, values)
    assert reference.live(COPY).model is not other
    assert_equal(rig, reference)
    if values:
        unchanged = copied(build, False, {})[0]
        assert rig.curve_of(COPY) != unchanged.curve_of(COPY)


def test_the_stored_architecture_has_the_new_values():
    rig, _ = copied(build, True, {"drop": 0.25})
    stored = json.loads(rig.live(COPY).architecture)
    kinds = {layer["class_name"]: layer["config"] for layer in stored["config"]["layers"]}
    assert kinds["Dropout"]["rate"] == 0.25


def sequential(*layers: Any, optimizer: Any = "adam", **compiles: Any) -> keras.Model:
    model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(1, "sigmoid")])
    given = {"loss": "binary_crossentropy", "jit_compile": False} | compiles
    model.compile(optimizer, **given)
    return model


def appears(hp: Any) -> keras.Model:
    return sequential(keras.layers.Dropout(hp.Float("x", 0.0, 0.5, default=0.3)))


def activated(hp: Any) -> keras.Model:
    return sequential(keras.layers.Dense(4, "relu" if hp.Float("x", 0, 1, default=0.3) else "tanh"))


def scheduled(hp: Any) -> keras.Model:
    decay = keras.optimizers.schedules.ExponentialDecay(0.01, 4, hp.Float("x", 0, 1, default=0.3))
    return sequential(optimizer=keras.optimizers.SGD(decay))


def frozen(hp: Any) -> keras.Model:
    hidden = keras.layers.Dense(4)
    model = sequential(hidden)
    hidden.trainable = hp.Float("x", 0, 1, default=0.3) > 0
    return model


def frozen_variable(hp: Any) -> keras.Model:
    model = sequential(keras.layers.Dense(4))
    model.layers[0].kernel.trainable = hp.Float("x", 0, 1, default=0.3) > 0
    return model


def without_momentum(hp: Any) -> keras.Model:
    momentum = hp.Float("x", 0, 1, default=0.3)
    return sequential(optimizer=keras.optimizers.RMSprop(0.01, momentum=momentum))


def excluded(hp: Any) -> keras.Model:
    model = sequential(optimizer=keras.optimizers.AdamW(0.01, weight_decay=0.5))
    if not hp.Float("x", 0, 1, default=0.3):
        model.optimizer.exclude_from_weight_decay(var_names=["kernel"])
    return model


def weighted_loss(hp: Any) -> keras.Model:
    weight = 1 - hp.Float("x", 0, 1, default=0.3)
    return sequential(loss=lambda y, p: weight * keras.losses.binary_crossentropy(y, p))


def measured(hp: Any) -> keras.Model:
    threshold = hp.Float("x", 0, 1, default=0.3)
    return sequential(metrics=[keras.metrics.BinaryAccuracy(threshold=threshold)])


REBUILT = [appears, activated, scheduled, excluded, weighted_loss, measured]


@pytest.mark.parametrize("build", REBUILT, ids=lambda build: build.__name__)
def test_other_differences_are_built_anew(build):
    rig, ended = copied(build, True, {"x": 0.0})
    assert rig.live(COPY).model is not ended
    assert_equal(rig, copied(build, False, {"x": 0.0})[0])


class Own(keras.layers.Dense):
    """A layer of the user's."""


def owned(hp: Any) -> keras.Model:
    return sequential(Own(4), optimizer=keras.optimizers.Adam(hp.Float("x", 1e-3, 1, default=0.3)))


def trained_first(hp: Any) -> keras.Model:
    """Reads values of variables, which a symbolic build has not."""
    model = sequential(optimizer=keras.optimizers.Adam(hp.Float("x", 1e-3, 1, default=0.3)))
    model.fit(np.zeros((4, 4)), np.zeros(4), verbose=0)
    return model


@pytest.mark.parametrize("build", [owned, trained_first], ids=lambda build: build.__name__)
def test_models_with_code_of_the_users_are_built_anew(build):
    rig, ended = copied(build, True, {"x": 0.01})
    assert rig.live(COPY).model is not ended or build is trained_first
    assert_equal(rig, copied(build, False, {"x": 0.01})[0])


@pytest.mark.parametrize(
    "options",
    [
        {"callbacks": [keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)]},
        {"settings": {"fast": False}},
    ],
    ids=["callbacks", "model.fit"],
)
def test_when_no_model_is_kept(options):
    rig, ended = copied(build, True, {"rate": 0.05}, **options)
    assert rig.live(COPY).model is not ended
    assert_equal(rig, copied(build, False, {"rate": 0.05}, **options)[0])


def test_without_copies_no_model_is_kept():
    rig = Rig(build)
    rig.start(1)
    rig.runner.free(0)
    assert rig.runner._memory.take_model(lambda state: True) is None


class Values(dict):
    """Hyperparameters of one number."""

    def Float(self, name: str, *_: Any, **__: Any) -> float:
        return self[name]


@pytest.mark.parametrize("build", [frozen, frozen_variable, without_momentum])
def test_what_other_variables_depend_on_is_never_set(build):
    model, equal, other = (build(Values(x=value)) for value in (0.3, 0.6, 0.0))
    assert set_values(model, equal) and not set_values(model, other)


def test_a_model_of_another_kind_is_refused():
    x = keras.Input((4,))
    functional = keras.Model(x, keras.layers.Dense(1, "sigmoid")(x))
    functional.compile("adam", "binary_crossentropy", jit_compile=False)
    assert not set_values(functional, sequential())
