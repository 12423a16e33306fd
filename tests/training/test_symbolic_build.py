"""Models built for what they declare: no values of variables, and all as usual afterwards."""

from __future__ import annotations

import threading
from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.training.hypermodel import ModelBuilder
from kerashpo.training.symbolic_build import bounded_build, symbolic_build

ROWS = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
TARGETS = ROWS[:, :1].copy()


def sequential(units: int = 3) -> keras.Model:
    model = keras.Sequential([keras.Input((4,))])
    model.add(keras.layers.Dense(units, activation="relu"))
    model.add(keras.layers.BatchNormalization())
    model.add(keras.layers.Dropout(0.2))
    model.add(keras.layers.Dense(1))
    model.compile("adam", "mse", metrics=["mae"])
    return model


def functional(units: int = 3) -> keras.Model:
    inputs = keras.Input((4,))
    hidden = keras.layers.LSTM(units)(keras.layers.Reshape((4, 1))(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    model.compile("nadam", "mse")
    return model


class Own(keras.Model):
    def __init__(self, units: int = 3) -> None:
        super().__init__()
        self.hidden, self.dropout = keras.layers.Dense(units), keras.layers.Dropout(0.1)
        self.out = keras.layers.Dense(1)

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.out(self.dropout(self.hidden(inputs), training=training))


def subclassed(units: int = 3) -> keras.Model:
    model = Own(units)
    model(ROWS[:2])  # as scripts do to create the weights
    model.compile("sgd", "mse")
    return model


every = pytest.mark.parametrize("build", [sequential, functional, subclassed])


def values(model: keras.Model) -> list[np.ndarray]:
    return [np.asarray(weight) for weight in model.get_weights()]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other))


@every
def test_nothing_is_allocated(build):
    drawn = []
    usual = keras.initializers.GlorotUniform.__call__

    def spy(self, shape, *args, **kwargs):
        drawn.append(shape)
        return usual(self, shape, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch, symbolic_build():
        if build is not subclassed:  # which is called with numbers, and computes them
            patch.setattr(keras.initializers.GlorotUniform, "__call__", spy)
        model = build()
        assert model.count_params() > 10
    assert [shape for shape in drawn if np.prod(shape) > 100] == []
    assert all(variable._value is None for variable in model.variables)


def test_what_no_memory_could_hold_is_built():
    with symbolic_build():
        model = sequential(10**10)
        assert model.count_params() > 10**10
        assert model.output_shape == (None, 1)


@pytest.mark.parametrize(
    "build", [pytest.param(sequential, marks=pytest.mark.slow), functional, subclassed]
)
def test_a_model_that_is_kept_trains_and_predicts_as_usual(build):
    keras.utils.set_random_seed(0)
    with symbolic_build():
        kept = build()
    keras.utils.set_random_seed(0)
    usual = build()
    assert same(values(kept), values(usual))
    assert type(kept) is type(usual) and type(kept.weights[0]) is type(usual.weights[0])
    for model in (kept, usual):
        keras.utils.set_random_seed(1)
        model.fit(ROWS, TARGETS, epochs=2, verbose=0)
    assert same(values(kept), values(usual))
    assert np.array_equal(kept.predict(ROWS, verbose=0), usual.predict(ROWS, verbose=0))


def test_a_layer_that_is_kept_is_trained_within_another_model():
    with symbolic_build():
        layer = keras.layers.Dense(3)
        keras.Sequential([keras.Input((4,)), layer])(ROWS)
    model = keras.Sequential([keras.Input((4,)), layer, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    before = values(model)
    model.fit(ROWS, TARGETS, verbose=0)
    assert not np.array_equal(before[0], values(model)[0])


def test_weights_that_are_set_are_kept():
    weights = [np.full_like(value, 0.5) for value in values(sequential())]
    with symbolic_build():
        model = sequential()
        model.set_weights(weights)
        assert same(values(model), weights)
    assert same(values(model), weights)


def test_layers_that_learn_from_data_while_they_are_built():
    with symbolic_build():
        scale = keras.layers.Normalization()
        scale.adapt(ROWS)
    assert np.allclose(np.asarray(scale(ROWS)).mean(axis=0), 0.0, atol=1e-5)


def test_a_sequential_model_is_built_when_it_is_asked():
    with symbolic_build():
        model = keras.Sequential([keras.Input((4,))])
        for units in (8, 6, 2):
            model.add(keras.layers.Dense(units))
        assert model.output_shape == (None, 2)
        assert [layer.units for layer in model.layers] == [8, 6, 2]
        model.add(keras.layers.Dense(5))
        assert len(model.weights) == 8
        model.pop()
        assert model.outputs[0].shape == (None, 2)
        features = keras.Model(model.inputs, model.layers[0].output)
    assert features.predict(ROWS, verbose=0).shape == (16, 8)


def test_shapes_that_do_not_fit_are_an_error_when_it_is_asked():
    with symbolic_build():
        model = keras.Sequential([keras.Input((4, 4, 1))])
        model.add(keras.layers.Conv2D(2, 7))
        with pytest.raises(ValueError, match="zero or negative"):
            model.count_params()


def test_another_thread_builds_in_earnest_meanwhile():
    built = []
    with symbolic_build():
        thread = threading.Thread(target=lambda: built.append(sequential()))
        thread.start()
        thread.join()
        assert all(variable._value is None for variable in sequential().variables)
    assert all(variable._value is not None for variable in built[0].variables)


def test_keras_is_as_before_afterwards():
    classes = (keras.Variable, keras.Sequential)
    before = [dict(vars(cls)) for cls in classes]
    with pytest.raises(ZeroDivisionError), symbolic_build(), symbolic_build(), bounded_build(9):
        1 / 0  # noqa: B018
    for cls, known in zip(classes, before):
        assert {n: v for n, v in vars(cls).items() if not n.startswith("_with_")} == {
            n: v for n, v in known.items() if not n.startswith("_with_")
        }


def test_a_bounded_build_allocates_no_more():
    with bounded_build(100):
        sequential()
    with bounded_build(None):
        sequential(50)
    with (
        pytest.raises(InvalidInput, match="more parameters than max_model_size"),
        bounded_build(40),
    ):
        sequential(50)


def test_discovery_calls_again_with_variables_what_fails_without():
    """`fit` within `build_model` cannot run symbolically."""

    def build(hp: Any) -> keras.Model:
        pretrained = sequential(hp.Int("units", 2, 4))
        pretrained.fit(ROWS, TARGETS, verbose=0)
        if pretrained.evaluate(ROWS, TARGETS, verbose=0)[0] >= 0:
            hp.Boolean("bias")
        return pretrained

    space = ModelBuilder(build).discover(0)
    assert space.names == ("units", "bias")


def test_discovery_with_variables_keeps_to_the_size():
    sizes = []

    def build(hp: Any) -> keras.Model:
        units = hp.Int("units", 2, 10**9)
        if keras.Variable(keras.initializers.Zeros(), shape=(2,))._value is None:
            raise RuntimeError("reads weights")
        sizes.append(units)
        return sequential(units)

    builder = ModelBuilder(build, max_size=1000)
    assert builder.discover(0).names == ("units",)
    assert sizes == [2, 10**9]


def test_errors_of_branches_are_put_up_with_and_those_of_the_default_are_not():
    calls = []

    def build(hp: Any) -> keras.Model:
        kind = hp.Choice("kind", ["good", *"abcdefgh"])
        calls.append(kind)
        if kind != "good":
            raise RuntimeError(kind)
        return sequential()

    assert ModelBuilder(build).discover(0).names == ("kind",)
    assert len(calls) <= 1 + 8 + 3  # three errors are looked at twice
