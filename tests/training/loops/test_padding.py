"""Padded widths on JAX: the curves of the narrow model, and one executable for many of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

if keras.backend.backend() != "jax":
    pytest.skip("only JAX compiles for each set of shapes", allow_module_level=True)

import jax

from kerashpo.training.build import build_all
from kerashpo.training.data import FitData
from kerashpo.training.jax_initialisers import shared_initialiser_shapes
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.training.loops.compiled.jax import threefry
from kerashpo.training.loops.compiled.jax.executables import Values
from kerashpo.training.loops.compiled.jax.padding import NONE, Padding, padding_of
from kerashpo.training.loops.model_fit import FitLoop
from kerashpo.training.randomness import EpochKeys, seeded_build

# Keras's own `Variable.numpy` warns with numpy 2 on JAX.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")
layers, optimizers = keras.layers, keras.optimizers
KEYS = EpochKeys(seed=2, trial=5)
Parts = Callable[[], list[Any]]


def make(parts: Parts, optimizer: Callable[[], Any] = lambda: optimizers.Adam(0.01)) -> keras.Model:
    with seeded_build(0, 1):
        model = keras.Sequential([keras.Input((6,)), *parts(), layers.Dense(1, "sigmoid")])
        model.compile(optimizer(), "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model


def mlp(activation: str) -> Parts:
    return lambda: [
        layers.Dense(7, activation),
        layers.Dropout(0.3),
        layers.Dense(5, activation),
        layers.Dropout(0.1),
    ]


def normalised() -> list[Any]:
    return [
        layers.Dense(7, use_bias=False),
        layers.BatchNormalization(),
        layers.Activation("gelu"),
        layers.Dropout(0.2),
        layers.Dense(4, "softplus", kernel_regularizer=keras.regularizers.L2(0.02)),
    ]


def padding(model: keras.Model, data: FitData) -> Padding:
    build_all(model, data)
    return padding_of(model, data.steps, data.batch)


def curves(loop: Any, model: keras.Model, data: FitData, last: int = 2) -> list[list[float]]:
    received: list[list[float]] = []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda _, logs: received.append([logs[name] for name in sorted(logs)])
    )
    loop.train(model, data, 1, last, [keep], KEYS)
    return received


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "exponential"])
def test_a_padded_model_learns_what_fit_learns_with_the_same_masks(
    activation: str, data: FitData
) -> None:
    assert padding(make(mlp(activation)), data).padded
    ours = curves(CompiledLoop(), make(mlp(activation)), data)
    theirs = curves(FitLoop(), make(mlp(activation)), data)
    np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        lambda: optimizers.Adam(0.01, amsgrad=True, clipnorm=0.5),
        lambda: optimizers.RMSprop(0.01, centered=True),
        lambda: optimizers.Adagrad(0.05),
        lambda: optimizers.Lion(0.001),
    ],
)
def test_added_units_stay_without_effect_under_every_optimizer(
    optimizer: Callable[[], Any], data: FitData
) -> None:
    model, loop = make(normalised, optimizer), CompiledLoop()
    padded = padding(model, data)
    trained = {id(variable) for variable in model.trainable_variables}
    assert trained - padded.padded.keys() == {id(model.trainable_variables[-1])}
    ours = curves(loop, model, data)
    np.testing.assert_allclose(
        ours, curves(FitLoop(), make(normalised, optimizer), data), rtol=1e-4, atol=1e-4
    )


def test_added_elements_keep_their_values_to_the_last_bit(data: FitData) -> None:
    model = make(mlp("sigmoid"))
    padded, loop = padding(model, data), CompiledLoop()
    with loop.engine.open(model, data) as session:
        for _ in range(3):
            session.train_epoch(np.arange(36, dtype=np.int32))
        held = session._values._padded
    fills = set()
    for key, (_, value) in held.items():
        grown = padded.padded[key]
        wide = np.array(value)
        wide[tuple(slice(size) for size in grown.variable.shape)] = grown.fill
        assert wide.shape == grown.shape and np.all(wide == grown.fill)
        fills.add(grown.fill)
    assert fills == {0.0, -1e4} and len(held) == len(padded.padded)


def test_decoupled_weight_decay_is_padded_where_no_bias_is_moved(data: FitData) -> None:
    def adamw() -> Any:
        return optimizers.AdamW(0.01, weight_decay=0.1)

    assert padding(make(mlp("sigmoid"), adamw), data) is NONE
    ours = curves(CompiledLoop(), make(mlp("relu"), adamw), data)
    theirs = curves(FitLoop(), make(mlp("relu"), adamw), data)
    np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(
    "parts",
    [
        lambda: [layers.Dense(5, "softmax")],
        lambda: [layers.Dense(5), layers.Softmax()],
        lambda: [layers.Dense(5), layers.Activation("sigmoid")],
        lambda: [layers.Dense(5, "sigmoid", use_bias=False)],
        lambda: [layers.Dense(5, "sigmoid", bias_regularizer="l2")],
        lambda: [layers.Dense(5, kernel_constraint="unit_norm")],
        lambda: [layers.Dense(5, kernel_regularizer="l1")],
        lambda: [layers.Dense(5, activity_regularizer="l1")],
        lambda: [layers.Dense(5, kernel_regularizer=keras.regularizers.OrthogonalRegularizer())],
        lambda: [layers.Dense(5, layers.PReLU())],
        lambda: [layers.Dense(5), layers.ReLU(threshold=0.5, negative_slope=0.1)],
        lambda: [layers.Dense(5), layers.Dropout(0.2, noise_shape=(None, 5))],
        lambda: [layers.Dense(5), layers.BatchNormalization(gamma_regularizer="l1")],
        lambda: [layers.Dense(5), layers.BatchNormalization(beta_constraint="non_neg")],
        lambda: [layers.Dense(5), layers.BatchNormalization(epsilon=0.0)],
        lambda: [layers.Dense(5), layers.GaussianNoise(0.1)],
        lambda: [layers.RepeatVector(3), layers.Dense(5), layers.Dense(4), layers.Flatten()],
        lambda: [layers.Dense(5), layers.LayerNormalization()],
        lambda: [layers.Dense(5), layers.Rescaling(1.0, 0.5)],
        lambda: [layers.Dense(5), layers.Activation("tanh", activity_regularizer="l2")],
        lambda: [layers.Dense(5, dtype="bfloat16")],
    ],
)
def test_what_padding_would_change_is_not_padded(parts: Parts, data: FitData) -> None:
    assert padding(make(parts), data) is NONE


def test_merged_branches_and_averaged_weights_are_not_padded(data: FitData) -> None:
    entry = keras.Input((6,))
    hidden = layers.Dense(4, "relu")(entry)
    merged = keras.Model(entry, layers.Dense(1)(layers.Concatenate()([hidden, entry])))
    merged.compile("adam", "mse")
    assert padding(merged, data) is NONE
    averaged = make(mlp("relu"), lambda: optimizers.Adam(0.01, use_ema=True))
    assert padding(averaged, data) is NONE
    # An added element would divide 0 by 0.
    assert padding(make(mlp("relu"), lambda: optimizers.Adam(epsilon=0.0)), data) is NONE


def test_nan_is_noticed_through_a_padded_relu(data: FitData) -> None:
    x, y, _ = data.weighted()
    x = x.copy()
    x[3, 2] = np.nan
    spoilt = FitData.from_fit(x, y, batch_size=8, shuffle=False)
    assert padding(make(mlp("relu")), spoilt).padded
    assert np.isnan(curves(CompiledLoop(), make(mlp("relu")), spoilt, 1)[0][1])


def test_the_unchosen_activation_gives_no_nan(data: FitData) -> None:
    """tanh of relu's values, which are not bounded."""
    x, y, _ = data.weighted()
    wide = FitData.from_fit(x * np.float32(1e30), y, batch_size=8, shuffle=False)
    ours, theirs = (
        curves(loop, make(mlp("relu"), lambda: optimizers.SGD(1e-9)), wide, 1)
        for loop in (CompiledLoop(), FitLoop())
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)


def test_dropout_on_an_unknown_width_is_left_to_keras() -> None:
    x = np.random.default_rng(0).normal(size=(16, 5, 3)).astype("float32")
    data = FitData.from_fit(x, x[:, 0, 0] > 0, batch_size=8)
    model = keras.Sequential(
        [
            keras.Input((None, 3)),
            layers.Permute((2, 1)),
            layers.Dropout(0.2),
            layers.Permute((2, 1)),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", jit_compile=False)
    assert np.isfinite(curves(CompiledLoop(), model, data, 1)).all()


def test_operations_outside_layers_are_not_padded(data: FitData) -> None:
    entry = keras.Input((6,))
    hidden = keras.ops.cos(layers.Dense(4, "relu")(entry))
    model = keras.Model(entry, layers.Dense(1, "sigmoid")(hidden))
    model.compile("adam", "binary_crossentropy")
    assert padding(model, data) is NONE
    curves(CompiledLoop(), model, data, 1)


def test_an_optimizer_without_slots_is_padded(data: FitData) -> None:
    """Two weights and the two scalars of SGD: one is not taken for the other's slot."""

    def short() -> list[Any]:
        return [layers.Dense(5, "relu", use_bias=False)]

    def model() -> keras.Model:
        with seeded_build(0, 1):
            made = keras.Sequential(
                [keras.Input((6,)), *short(), layers.Dense(1, "sigmoid", use_bias=False)]
            )
            made.compile(optimizers.SGD(0.1), "binary_crossentropy", jit_compile=False)
        return made

    assert len(padding(model(), data).padded) == 2
    ours, theirs = (curves(loop, model(), data) for loop in (CompiledLoop(), FitLoop()))
    np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5)


def test_a_trunk_with_two_heads_is_padded(data: FitData) -> None:
    def heads() -> keras.Model:
        with seeded_build(0, 0):
            entry = keras.Input((6,))
            trunk = layers.Dropout(0.2)(layers.Dense(7, "relu")(entry))
            one, two = layers.Dense(1, "sigmoid")(trunk), layers.Dense(3, "tanh")(trunk)
            model = keras.Model(entry, [one, layers.Dense(1, "sigmoid")(two)])
            model.compile("adam", ["binary_crossentropy"] * 2, jit_compile=False)
        return model

    x, y, _ = data.weighted()
    both = FitData.from_fit(x, [y, y], batch_size=8, shuffle=False)
    # Two-dimensional targets, as two heads of one unit give.
    assert len(padding(heads(), both).padded) == 3 * 6
    ours, theirs = (curves(loop, heads(), both) for loop in (CompiledLoop(), FitLoop()))
    np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5)


def test_dear_padding_is_left_out_whatever_was_compiled_before(data: FitData) -> None:
    model = make(mlp("relu"))
    build_all(model, data)
    assert padding_of(model, steps=20, batch=8).padded
    assert padding_of(model, steps=100_000, batch=8) is NONE


def test_one_executable_serves_many_widths_rates_and_activations(data: FitData) -> None:
    loop = CompiledLoop()
    for width, rate, kind in (
        (3, 0.0, "relu"),
        (17, 0.5, "tanh"),
        (200, 0.2, "sigmoid"),
        (512, 0.0, "relu"),
    ):
        model = make(lambda w=width, r=rate, k=kind: [layers.Dense(w, k), layers.Dropout(r)])
        curves(loop, model, data)
        x, y, _ = data.validation
        assert loop.evaluate(model, x, y, batch_size=4)["loss"] == pytest.approx(
            model.evaluate(x, y, verbose=0)[0], abs=1e-6
        )
        np.testing.assert_allclose(
            loop.predict(model, x), model.predict(x, verbose=0), rtol=1e-5, atol=1e-6
        )
    template = next(iter(loop.engine._shared._entries.values()))
    assert loop.engine.shared_graphs == 1 and len(template._made) == 3


def test_a_layer_as_activation_of_a_width_that_needs_no_padding(data: FitData) -> None:
    """What it does is part of the key, though Keras writes it as a mapping."""
    loop = CompiledLoop()
    for slope in (0.1, 0.9):
        activation = layers.LeakyReLU(negative_slope=slope)
        parts: Parts = lambda kind=activation: [layers.Dense(512, kind)]
        ours = curves(loop, make(parts), data, 1)
        np.testing.assert_allclose(
            ours, curves(FitLoop(), make(parts), data, 1), rtol=2e-5, atol=2e-5
        )
    assert loop.engine.shared_graphs == 2


def test_weights_that_a_callback_assigns_are_trained_on(data: FitData) -> None:
    def halve(epoch: int, logs: Any) -> None:
        if epoch == 0:
            for way_model in models:
                kernel = way_model.layers[0].kernel
                kernel.assign(kernel * 0.5)

    results = []
    for loop in (CompiledLoop(), FitLoop()):
        models = [make(mlp("relu"))]
        build_all(models[0], data)
        hook = keras.callbacks.LambdaCallback(on_epoch_end=halve)
        loop.train(models[0], data, 1, 3, [hook], KEYS)
        results.append(models[0].get_weights())
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_values_between_epochs_are_narrow_and_seeds_continue(data: FitData) -> None:
    model = make(mlp("relu"))
    padded = padding(model, data)
    values = Values(model, padded, lifted=True)
    assert {array.shape for array in values.state()[0]} == {
        (6, 512), (512,), (512, 512), (512, 1), (1,)
    }  # fmt: skip
    curves(CompiledLoop(), model, data)
    assert [weight.shape for weight in model.get_weights()][:2] == [(6, 7), (7,)]
    state = model.layers[1].seed_generator.state
    started = KEYS.layer_states(2, 1)[0]
    np.testing.assert_array_equal(np.asarray(state.value), started + np.array([0, data.steps]))


def test_random_numbers_are_those_of_jax() -> None:
    key = np.array([3, 2**31 + 5], np.uint32)
    places = np.arange(30, dtype=np.uint32).reshape(5, 6)
    np.testing.assert_array_equal(threefry.bits(key, places), jax.random.bits(key, (5, 6)))
    np.testing.assert_array_equal(threefry.uniform(key, places), jax.random.uniform(key, (5, 6)))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("shape", [(), (7,), (30, 96), (3, 2, 4), (5000,)])
def test_initial_values_are_keras_s_own(dtype: str, shape: tuple[int, ...]) -> None:
    kinds = [
        keras.initializers.RandomUniform(seed=3),
        keras.initializers.RandomNormal(seed=3),
        keras.initializers.TruncatedNormal(seed=3),
        keras.initializers.Zeros(),
        keras.initializers.Ones(),
    ]
    for kind in kinds:
        stock = np.asarray(kind(shape, dtype=dtype))
        with shared_initialiser_shapes():
            ours = kind(shape, dtype=dtype)
            traced = jax.jit(lambda kind=kind: kind(shape, dtype=dtype))()
        assert str(ours.dtype) == dtype
        np.testing.assert_array_equal(np.asarray(ours), stock)
        # Compiled as a whole, a product and a sum may be rounded once.
        np.testing.assert_allclose(
            np.asarray(traced, float), np.asarray(stock, float), rtol=1e-6, atol=1e-8
        )


def test_arrays_as_parameters_and_generators_draw_as_keras_does() -> None:
    def drawn() -> list[np.ndarray]:
        generator = keras.random.SeedGenerator(4)
        return [
            np.asarray(keras.random.normal((2, 3), mean=keras.ops.ones((3,)), seed=1)),
            np.asarray(keras.random.uniform((2, 3), maxval=np.array([1.0, 2.0, 3.0]), seed=1)),
            np.asarray(keras.random.uniform((2, 3), 0.0, 2.0, "float32", generator)),
            np.asarray(keras.random.normal([4], seed=generator)),
            np.asarray(generator.state.value),
        ]

    stock = drawn()
    with shared_initialiser_shapes():
        ours = drawn()
    for mine, theirs in zip(ours, stock, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)


def test_initialisers_are_given_back_after_an_error() -> None:
    from keras.src.backend.jax import random

    stock = random.uniform
    with pytest.raises(ZeroDivisionError), shared_initialiser_shapes():
        assert random.uniform is not stock
        raise ZeroDivisionError
    assert random.uniform is stock
