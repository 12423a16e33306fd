"""One trace for many configurations: the same values as a private one, and nothing leaks."""

from __future__ import annotations

import functools
import gc
import weakref
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.training.build import build_all
from kerashpo.training.data import FitData
from kerashpo.training.loops.base import TrainingLoop
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.training.loops.compiled.signature import structure_of
from kerashpo.training.loops.model_fit import FitLoop
from kerashpo.training.randomness import EpochKeys, seed_variables, seeded_build

on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="variables are lent on TensorFlow only"
)
layers = keras.layers


def make(
    widths: tuple[int, ...] = (5, 4),
    rates: tuple[float, ...] = (0.0, 0.3),
    activation: str = "tanh",
    rate: float = 0.01,
    l2: float = 0.01,
    trial: int = 0,
    metric: str = "accuracy",
) -> keras.Model:
    with seeded_build(0, trial):
        parts: list[Any] = [keras.Input((6,))]
        for width, drop in zip(widths, rates, strict=True):
            penalty = keras.regularizers.L2(l2)
            parts += [
                layers.Dense(width, activation, kernel_regularizer=penalty),
                layers.Dropout(drop),
            ]
        model = keras.Sequential([*parts, layers.Dense(1, "sigmoid")])
        model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=[metric])
    return model


def train(loop: TrainingLoop, model: keras.Model, data: FitData, trial: int) -> list[dict]:
    logs: list[dict] = []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda _, received: logs.append(dict(received))
    )
    loop.train(model, data, 1, 3, [keep], EpochKeys(0, trial))
    return logs


def key(model: keras.Model, data: FitData) -> Any:
    build_all(model, data)
    return structure_of(model).key


CONFIGURATIONS: list[dict[str, Any]] = [
    {},
    {"widths": (9, 3)},
    {"rates": (0.5, 0.0)},
    {"rate": 0.1, "l2": 0.3},
    {"widths": (16, 17), "rates": (0.2, 0.1), "rate": 0.003, "l2": 0.0},
]


def test_a_shared_trace_gives_bit_for_bit_what_a_private_one_gives(data: FitData) -> None:
    shared = CompiledLoop()
    for trial, settings in enumerate(CONFIGURATIONS):
        ours = train(shared, make(trial=trial, **settings), data, trial)
        alone = train(CompiledLoop(), make(trial=trial, **settings), data, trial)
        assert ours == alone
    assert shared.engine.shared_graphs == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"widths": (5,), "rates": (0.1,)},
        {"activation": "relu"},
        {"metric": "mse"},
    ],
)
def test_other_structures_get_other_traces(settings: dict[str, Any], data: FitData) -> None:
    assert key(make(), data) != key(make(**settings), data)


def test_optimizers_numbers_are_part_of_the_key(data: FitData) -> None:
    def with_optimizer(optimizer: Any) -> Any:
        model = make()
        model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
        return key(model, data)

    adam = keras.optimizers.Adam
    assert with_optimizer(adam(0.1)) == with_optimizer(adam(0.2))
    others = [
        adam(0.1, beta_1=0.8),
        adam(0.1, clipnorm=1.0),
        keras.optimizers.SGD(0.1),
        keras.optimizers.SGD(0.1, momentum=0.5),
        adam(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)),
        adam(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.6)),
    ]
    assert len({with_optimizer(adam(0.1)), *map(with_optimizer, others)}) == 7


def test_what_weight_decay_leaves_out_keeps_a_trace_of_its_own(data: FitData) -> None:
    optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["kernel"])
    model = make()
    model.compile(optimizer, "binary_crossentropy")
    assert key(model, data) is None


def test_accumulated_gradients_fix_the_widths(data: FitData) -> None:
    def accumulating(widths: tuple[int, int]) -> keras.Model:
        model = make(widths)
        adam = keras.optimizers.Adam(0.01, gradient_accumulation_steps=2)
        model.compile(adam, "binary_crossentropy")
        return model

    shared = CompiledLoop()
    for widths in ((5, 4), (9, 3)):
        ours = train(shared, accumulating(widths), data, 0)
        assert ours == train(CompiledLoop(), accumulating(widths), data, 0)
    assert shared.engine.shared_graphs == 2


def test_a_schedule_without_a_configuration_keeps_a_trace_of_its_own(data: FitData) -> None:
    class Halving(keras.optimizers.schedules.LearningRateSchedule):
        def __init__(self, start: float) -> None:
            self.start = start

        def __call__(self, step: Any) -> Any:
            return self.start / (1.0 + keras.ops.cast(step, "float32"))

    def scheduled(start: float) -> keras.Model:
        model = make(rates=(0.0, 0.0))
        model.compile(keras.optimizers.SGD(Halving(start)), "mse")
        return model

    assert key(scheduled(0.1), data) is None
    loop = CompiledLoop()
    for start in (0.1, 0.5):
        ours, fitted = (train(one, scheduled(start), data, 0) for one in (loop, FitLoop()))
        np.testing.assert_allclose(
            [log["loss"] for log in ours], [log["loss"] for log in fitted], rtol=1e-5
        )


def test_rates_of_masks_of_another_shape_are_part_of_the_key(data: FitData) -> None:
    def masked(rate: float, shape: Any) -> Any:
        parts = [layers.Dense(5), layers.Dropout(rate, noise_shape=shape), layers.Dense(1)]
        model = keras.Sequential([keras.Input((6,)), *parts])
        model.compile("adam", "mse")
        return key(model, data)

    assert masked(0.1, (None, 1)) != masked(0.9, (None, 1))
    assert masked(0.1, None) == masked(0.9, None)


def test_a_private_trace_is_made_again_after_compile(data: FitData) -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(1, "sigmoid")
            self.outputs = ["not Keras's"]

        def call(self, x: Any) -> Any:
            return self.dense(x)

    loop, model = CompiledLoop(), Own()
    x, y, _ = data.validation
    for loss in ("binary_crossentropy", "mse"):
        model.compile("sgd", loss, jit_compile=False)
        logged = train(loop, model, data, 0)[-1]["val_loss"]
        assert logged == pytest.approx(model.evaluate(x, y, verbose=0), abs=1e-5)


def test_frozen_layers_and_shared_penalties_are_part_of_the_key(data: FitData) -> None:
    frozen = make()
    frozen.layers[0].trainable = False
    frozen.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    penalty = keras.regularizers.L2(0.01)
    twice = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(5, "tanh", kernel_regularizer=penalty),
            layers.Dropout(0.1),
            layers.Dense(4, "tanh", kernel_regularizer=penalty),
            layers.Dropout(0.1),
            layers.Dense(1, "sigmoid"),
        ]
    )
    twice.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    assert len({key(model, data) for model in (make(), frozen, twice)}) == 3


@on_tensorflow
def test_augmentation_shares_a_trace_and_draws_what_fit_draws() -> None:
    images = np.random.default_rng(0).uniform(size=(20, 6, 6, 1)).astype("float32")
    rows = FitData.from_fit(images, np.arange(20.0) % 2, batch_size=8, validation_split=0.2)

    def augmented(trial: int) -> keras.Model:
        with seeded_build(0, trial):
            parts = [layers.RandomFlip(), layers.RandomRotation(0.2), layers.RandomContrast(0.2)]
            last = [layers.Flatten(), layers.Dense(1, "sigmoid")]
            model = keras.Sequential([keras.Input((6, 6, 1)), *parts, *last])
            model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", jit_compile=False)
        return model

    shared, fit = CompiledLoop(), FitLoop()
    for trial in (0, 1):
        ours = train(shared, augmented(trial), rows, trial)
        theirs = train(fit, augmented(trial), rows, trial)
        for mine, their in zip(ours, theirs, strict=True):
            assert mine == pytest.approx(their, abs=2e-5)
    assert shared.engine.shared_graphs == 1


def test_user_code_keeps_its_own_trace(data: FitData) -> None:
    class Odd(layers.Dense):
        pass

    def odd_activation(x: Any) -> Any:
        return x * 2

    def tanh(x: Any) -> Any:
        return 3 * keras.ops.tanh(x)

    class Scaled:
        __name__ = "scaled"

        def __call__(self, y: Any, p: Any) -> Any:
            return keras.ops.mean((y - p) ** 2)

    def model(layer: Any, loss: Any = "mse") -> keras.Model:
        made = keras.Sequential([keras.Input((6,)), layer, layers.Dense(1)])
        made.compile("adam", loss)
        return made

    patched = make()
    patched.layers[0].call = lambda inputs, training=None: inputs[:, :5]
    reasons = [
        (model(Odd(3)), "Odd is not part of Keras"),
        (model(layers.Dense(3, odd_activation)), "odd_activation is not part of Keras"),
        (model(layers.Dense(3, keras.ops.relu)), "relu is not part of Keras's activations"),
        (model(layers.Dense(3, tanh)), "tanh is not part of Keras's activations"),
        (model(layers.Normalization()), "may depend on more than its configuration"),
        (model(layers.Dense(3), Scaled()), "Scaled is not part of Keras"),
        (model(layers.Dense(3, kernel_regularizer=odd_activation)), "not part of Keras"),
        (model(layers.Dense(3, kernel_constraint=odd_activation)), "not part of Keras"),
    ]
    for built, reason in reasons:
        build_all(built, data)
        structure = structure_of(built)
        assert structure.key is None and reason in structure.why
    build_all(patched, data)
    assert "has its own call" in structure_of(patched).why


SCALE, POWERS = 1.0, [2.0]


def set_scale(value: float) -> Any:
    global SCALE
    SCALE = value
    return lambda y, p: SCALE * keras.ops.mean((y - p) ** 2, axis=-1)


def set_power(value: float) -> Any:
    POWERS[0] = value
    return lambda y, p: keras.ops.mean(keras.ops.abs(y - p) ** POWERS[0], axis=-1)


def as_closure(value: float) -> Any:
    return lambda y, p: value * keras.ops.mean((y - p) ** 2, axis=-1)


def as_default(value: float) -> Any:
    return lambda y, p, factor=value: factor * keras.ops.mean((y - p) ** 2, axis=-1)


def as_attribute(value: float) -> Any:
    class Weighted(keras.losses.Loss):
        def __init__(self) -> None:
            super().__init__()
            self.factor = value

        def call(self, y: Any, p: Any) -> Any:
            return self.factor * keras.ops.mean((y - p) ** 2, axis=-1)

    return Weighted()


def as_partial(value: float) -> Any:
    return functools.partial(keras.losses.huber, delta=value)


def as_focus(value: float) -> Any:
    return keras.losses.BinaryFocalCrossentropy(gamma=value)


QUICK = [set_scale, as_closure, as_attribute]
VARIANTS = [as_partial, set_power, as_default, keras.losses.Huber, as_focus]
LOSSES = [*QUICK, *(pytest.param(loss, marks=pytest.mark.slow) for loss in VARIANTS)]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: getattr(loss, "__name__", "loss"))
def test_each_model_is_trained_on_the_values_of_its_own_loss(
    loss: Callable[[float], Any], data: FitData
) -> None:
    def trained(loop: TrainingLoop, value: float) -> list[dict]:
        model = make()
        model.compile(keras.optimizers.SGD(0.1), loss(value), metrics=["mse"])
        return train(loop, model, data, 0)

    shared = CompiledLoop()
    logs = [trained(shared, value) for value in (1.5, 0.25, 1.5)]
    for found, value in zip(logs, (1.5, 0.25)):
        for mine, their in zip(found, trained(FitLoop(), value), strict=True):
            assert mine == pytest.approx(their, abs=1e-5)
    assert logs[0] == logs[2] and logs[0][0]["loss"] != logs[1][0]["loss"]


def test_equal_losses_share_a_trace(data: FitData) -> None:
    def with_loss(loss: Any, metric: Any = "mse") -> Any:
        model = make()
        model.compile(keras.optimizers.Adam(0.01), loss, metrics=[metric])
        return key(model, data)

    assert with_loss(as_closure(2.0)) == with_loss(as_closure(2.0)) is not None
    assert with_loss(as_closure(2.0)) != with_loss(as_closure(3.0))
    auc = functools.partial(keras.metrics.AUC, name="auc")
    assert with_loss("mse", auc()) == with_loss("mse", auc()) is not None
    different = [
        auc(),
        auc(curve="PR"),
        auc(num_thresholds=5),
        keras.metrics.Precision(0.3),
        as_closure(1.0),
    ]
    assert len({with_loss("mse", metric) for metric in different}) == 5
    assert with_loss(as_attribute(1.0)) is None


def test_settings_of_keras_are_part_of_the_key(data: FitData) -> None:
    before, epsilon = key(make(), data), keras.config.epsilon()
    keras.config.set_epsilon(1e-3)
    try:
        assert key(make(), data) != before
    finally:
        keras.config.set_epsilon(epsilon)


def test_arguments_that_no_configuration_holds_are_part_of_the_key(data: FitData) -> None:
    def recurrent(use_cudnn: Any) -> Any:
        model = keras.Sequential(
            [keras.Input((6,)), layers.Reshape((3, 2)), layers.LSTM(3, use_cudnn=use_cudnn)]
        )
        model.compile("adam", "mse")
        return key(model, data)

    assert recurrent(False) == recurrent(False) is not None
    assert recurrent(False) != recurrent("auto")


def test_models_keep_their_own_values_between_segments(data: FitData) -> None:
    loop = CompiledLoop()
    one, two = make(trial=1), make(trial=2, widths=(8, 3))
    train(loop, one, data, 1)
    before = [np.copy(weight) for weight in one.get_weights()]
    train(loop, two, data, 2)
    for kept, now in zip(before, one.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, now)
    assert {id(v._value) for v in one.variables}.isdisjoint(id(v._value) for v in two.variables)


def test_callbacks_see_live_weights_and_may_evaluate(data: FitData) -> None:
    """What Keras traces while variables are lent must not outlive the loan."""
    loop, seen = CompiledLoop(), []

    class Looks(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            loss = self.model.evaluate(data.validation[0], data.validation[1], verbose=0)[0]
            seen.append((loss, logs["val_loss"]))

    one = make(trial=1)
    loop.train(one, data, 1, 2, [Looks()], EpochKeys(0, 1))
    for evaluated, logged in seen:
        assert evaluated == pytest.approx(logged, abs=1e-6)
    assert seen[0] != seen[1]
    x, y, _ = data.validation
    expected = one.evaluate(x, y, verbose=0)[0]
    train(loop, make(trial=2), data, 2)
    assert one.evaluate(x, y, verbose=0)[0] == expected == pytest.approx(seen[-1][0], abs=1e-6)


@on_tensorflow
def test_an_error_in_a_callback_gives_the_variables_back(data: FitData) -> None:
    def fail(epoch: int, logs: Any) -> None:
        raise RuntimeError("mine")

    loop, model = CompiledLoop(), make()
    build_all(model, data)
    own = [variable._value for variable in model.variables]
    with pytest.raises(RuntimeError, match="mine"):
        loop.train(
            model, data, 1, 2, [keras.callbacks.LambdaCallback(on_epoch_end=fail)], EpochKeys(0, 0)
        )
    assert all(now._value is before for now, before in zip(model.variables, own, strict=True))


def test_mask_streams_differ_between_layers_trials_and_epochs(data: FitData) -> None:
    states = set()

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            states.update(tuple(np.asarray(state.value)) for state in seed_variables(self.model))

    loop = CompiledLoop()
    for trial in range(3):
        model = make(rates=(0.2, 0.3), trial=trial)
        loop.train(model, data, 1, 4, [Watch()], EpochKeys(0, trial))
    assert len(states) == 3 * 4 * 2


def test_traces_are_bounded_and_models_are_freed(data: FitData) -> None:
    loop = CompiledLoop(traces=2)
    models = [make(activation=name) for name in ("tanh", "softplus", "gelu")]
    for trial, model in enumerate(models):
        train(loop, model, data, trial)
    assert loop.engine.shared_graphs == 2
    gone = [weakref.ref(model) for model in models]
    del models, model
    gc.collect()
    assert [ref() for ref in gone] == [None, None, None]


def test_a_private_trace_dies_with_its_model(data: FitData) -> None:
    class Own(layers.Dense):
        pass

    loop = CompiledLoop()
    model = keras.Sequential([keras.Input((6,)), Own(3), layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    train(loop, model, data, 0)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None and loop.engine.shared_graphs == 0


@on_tensorflow
def test_clearing_kernels_changes_no_value(data: FitData) -> None:
    from kerashpo.training.loops.compiled.tensorflow.runtime import clear_kernels

    loop, model = CompiledLoop(), make()
    expected = train(CompiledLoop(), make(), data, 0)
    logs: list[dict] = []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda _, received: logs.append(dict(received))
    )
    loop.train(model, data, 1, 1, [keep], EpochKeys(0, 0))
    clear_kernels()
    loop.train(model, data, 2, 3, [keep], EpochKeys(0, 0))
    assert logs == expected


@on_tensorflow
def test_a_loop_that_is_closed_clears_kernels_and_trains_on(
    data: FitData, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kerashpo.training.loops.compiled.tensorflow import engine

    cleared: list[int] = []
    monkeypatch.setattr(engine, "clear_kernels", lambda: cleared.append(1))
    loop = CompiledLoop()
    loop.close()
    assert not cleared  # it has trained nothing
    first = train(loop, make(), data, 0)
    loop.close()
    assert cleared == [1] and train(loop, make(), data, 0) == first


@on_tensorflow
@pytest.mark.parametrize(("count", "collected"), [(19, []), (20, [1])])
def test_a_loop_that_is_closed_collects_garbage_if_that_is_overdue(
    count: int, collected: list[int], data: FitData, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, found = CompiledLoop(), []
    train(loop, make(), data, 0)
    monkeypatch.setattr(gc, "get_count", lambda: (0, 0, count))
    monkeypatch.setattr(gc, "collect", lambda: found.append(1))
    loop.close()
    assert found == collected


@on_tensorflow
def test_a_search_that_is_over_leaves_no_graph_behind(data: FitData) -> None:
    loop, model = CompiledLoop(), make()
    train(loop, model, data, 0)
    template = loop.engine.trace(model)
    graphs = [weakref.ref(graph.graph) for graph in template._graphs.values()]
    assert len(graphs) == 2
    del loop, template, model
    gc.collect()
    assert [ref() for ref in graphs] == [None, None]


def attentive(rate: float) -> keras.Model:
    inputs = keras.Input((5,))
    hidden = layers.Embedding(9, 4)(inputs)
    hidden = layers.MultiHeadAttention(2, 2)(hidden, hidden)
    outputs = layers.Dense(1, "sigmoid")(layers.GlobalAveragePooling1D()(hidden))
    with seeded_build(0, 0):
        model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
    return model


def test_models_with_attention_share_a_trace() -> None:
    rng = np.random.default_rng(0)
    tokens = FitData.from_fit(rng.integers(0, 9, (20, 5)), rng.integers(0, 2, 20).astype("float32"))
    assert key(attentive(0.1), tokens) == key(attentive(0.2), tokens) is not None
