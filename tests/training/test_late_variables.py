"""Late variables: values, use before they are allocated, and trials that never allocate them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from kerashpo.training.build import build
from kerashpo.training.data import FitData
from kerashpo.training.late_variables import LateValue, late_variables
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.training.randomness import EpochKeys, seeded_build

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="other backends allocate cheaply"
)
X = np.random.default_rng(0).normal(size=(24, 6, 6, 1)).astype("float32")
Y = np.arange(24) % 2


def make(optimizer: Any = "adam", read: bool = False) -> keras.Model:
    """Returns a built model with many kinds of variables; `read`: build_model reads a weight."""
    parts = [
        keras.Input((6, 6, 1)),
        layers.RandomFlip(),
        layers.Conv2D(3, 3, kernel_initializer="orthogonal"),
        layers.BatchNormalization(),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(4, "relu", kernel_initializer=keras.initializers.HeNormal(3)),
        layers.Dense(1, "sigmoid", bias_initializer=keras.initializers.Constant(0.1)),
    ]
    model = keras.Sequential(parts)
    if read:
        model.layers[-1].kernel.assign(model.layers[-1].kernel * 2)
    model.compile(optimizer, "binary_crossentropy", metrics=[keras.metrics.AUC(name="auc")])
    build(model, (keras.KerasTensor((8, 6, 6, 1)), keras.KerasTensor((8, 1)), None))
    return model


def both(**how: Any) -> tuple[keras.Model, keras.Model]:
    """Returns the model with late variables, and as Keras builds it."""
    with seeded_build(0, 1), late_variables():
        late = make(**how)
    with seeded_build(0, 1):
        return late, make(**how)


def variables(model: keras.Model) -> list[Any]:
    return [*model.variables, *model.optimizer.variables, *model.metrics_variables]


def late_ones(model: keras.Model) -> list[str]:
    return [v.path for v in variables(model) if isinstance(v, LateValue)]


@pytest.mark.parametrize("name", ["adam", "sgd", "rmsprop", "nadam", "adafactor", "ftrl", "muon"])
def test_values_are_those_of_an_ordinary_build(name: str) -> None:
    late, plain = both(optimizer=name)
    assert len(found := late_ones(late)) >= 10
    for mine, other in zip(variables(late), variables(plain), strict=True):
        assert mine.path == other.path
        np.testing.assert_array_equal(mine.numpy(), other.numpy())
    assert late_ones(late) == found  # reading a value as an array allocates nothing


def test_a_weight_that_build_model_reads_and_changes() -> None:
    late, plain = both(read=True)
    assert not isinstance(late.layers[-1].kernel, LateValue)
    for mine, other in zip(variables(late), variables(plain), strict=True):
        np.testing.assert_array_equal(mine.numpy(), other.numpy())


@pytest.mark.parametrize("use", ["fit", "train_on_batch", "weights", "save", "apply"])
def test_uses_outside_of_compiled_epochs(use: str, tmp_path: Any) -> None:
    late, plain = both()
    results = []
    for model in (late, plain):
        keras.utils.set_random_seed(1)
        if use == "fit":
            logs = model.fit(X, Y, epochs=2, shuffle=False, verbose=0, validation_data=(X, Y))
            results.append(np.ravel(list(logs.history.values())))
        elif use == "train_on_batch":
            results.append(model.train_on_batch(X, Y))
        elif use == "weights":
            model.set_weights([weight + 1 for weight in model.get_weights()])
            results.append(np.concatenate([np.ravel(w) for w in model.get_weights()]))
        elif use == "save":
            model.save(tmp_path / "m.keras")
            results.append(keras.models.load_model(tmp_path / "m.keras").predict(X, verbose=0))
        else:
            changes = [keras.ops.ones_like(v) for v in model.trainable_variables]
            model.optimizer.apply(changes, model.trainable_variables)
            results.append(model.predict(X, verbose=0))
    np.testing.assert_array_equal(results[0], results[1])


def test_own_initialisers_are_called_at_once_in_their_order() -> None:
    seen: list[tuple[int, ...]] = []

    def own(shape: Any, dtype: Any = None) -> Any:
        seen.append(tuple(shape))
        return keras.random.normal(shape, dtype=dtype, seed=len(seen))

    with late_variables():
        keras.Sequential(
            [keras.Input((3,)), layers.Dense(2, kernel_initializer=own), layers.Dense(1)]
        )
    assert seen == [(3, 2)]


def test_an_initialiser_with_a_seed_generator_is_not_late() -> None:
    drawn = keras.random.SeedGenerator(4)
    with late_variables():
        layer = layers.Dense(2, kernel_initializer=keras.initializers.HeNormal(drawn))
        layer.build((None, 3))
    assert not isinstance(layer.kernel, LateValue)
    assert isinstance(layer.bias, LateValue)


def test_compiled_epochs_allocate_nothing_and_train_as_fit_does() -> None:
    late, plain = both()
    data = FitData.from_fit(X, Y, batch_size=8, shuffle=False, validation_data=(X, Y))
    way, keys = CompiledLoop(), EpochKeys(0, 0)
    way.train(late, data, 1, 2, [], keys)
    first = late_ones(late)
    way.train(late, data, 3, 3, [], keys)
    assert late_ones(late) == first
    assert len(first) > 10
    way.train(plain, data, 1, 3, [], keys)
    last = {name: values[-1:] for name, values in plain.history.history.items()}
    assert late.history.history == last
    np.testing.assert_array_equal(late.predict(X, verbose=0), plain.predict(X, verbose=0))


def test_a_rate_that_is_changed_between_epochs() -> None:
    late, plain = both()
    data = FitData.from_fit(X, Y, batch_size=8, shuffle=False)
    way, keys = CompiledLoop(), EpochKeys(0, 0)
    for model in (late, plain):
        way.train(model, data, 1, 1, [], keys)
        model.optimizer.learning_rate = 0.1
        model.layers[-1].set_weights([w * 0.5 for w in model.layers[-1].get_weights()])
        way.train(model, data, 2, 2, [], keys)
    for mine, other in zip(variables(late), variables(plain), strict=True):
        np.testing.assert_array_equal(mine.numpy(), other.numpy())


class LastMean(layers.Layer):
    """A layer that only ever assigns its variable, and never reads it."""

    def build(self, shape: Any) -> None:
        self.last = self.add_weight(shape=(), initializer="zeros", trainable=False, name="last")

    def call(self, inputs: Any) -> Any:
        self.last.assign(keras.ops.mean(inputs))
        return inputs


def test_a_variable_that_a_graph_assigns_before_anything_reads_it() -> None:
    with late_variables():
        model = keras.Sequential([keras.Input((6, 6, 1)), LastMean(), layers.Flatten()])
    assert isinstance(model.layers[0].last, LateValue)
    model.predict(X, batch_size=len(X), verbose=0)
    assert float(model.layers[0].last.numpy()) == pytest.approx(X.mean(), abs=1e-6)
    model.predict(X + 1, batch_size=len(X), verbose=0)
    assert float(model.layers[0].last.numpy()) == pytest.approx(X.mean() + 1, abs=1e-6)


def test_a_late_variable_takes_the_value_of_another_not_its_later_ones() -> None:
    with late_variables():
        layer = layers.Dense(2)
        layer.build((None, 3))
    other = keras.Variable(np.ones((3, 2), "float32"))
    layer.kernel.assign(other)
    other.assign(np.zeros((3, 2)))
    np.testing.assert_array_equal(layer.kernel.numpy(), 1)
