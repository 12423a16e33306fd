"""Compiled epochs see, do and log what `model.fit` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.training.build import build_all
from kerashpo.training.data import FitData
from kerashpo.training.loops.base import TrainingLoop, finish
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.training.loops.model_fit import FitLoop
from kerashpo.training.randomness import EpochKeys

# Keras's own `Variable.numpy` warns with numpy 2 on JAX.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")
layers = keras.layers
RNG = np.random.default_rng(5)
ROWS = RNG.normal(size=(45, 6)).astype("float32")
LABELS = (ROWS[:, 0] + ROWS[:, 1] > 0).astype("float32")
IMAGES = RNG.normal(size=(21, 6, 6, 1)).astype("float32")
DIGITS = RNG.integers(0, 3, size=21)
KEYS = EpochKeys(seed=7, trial=3)
#: Absolute tolerance on losses and metrics of order 1 over 5 epochs, in float32.
ROUNDING = 2e-5
#: The same for single weights: XLA fuses a loop's body in another order than a single step, and
#: a relu near its kink makes 3e-4 of the rounding.
WEIGHTS = 1e-3 if keras.backend.backend() == "jax" else ROUNDING


class Curve(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.logs: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.logs.append(dict(logs))


def curve(
    loop: TrainingLoop, model: keras.Model, data: FitData, last: int = 5
) -> list[dict[str, float]]:
    heard = Curve()
    loop.train(model, data, 1, last, [heard], KEYS)
    return heard.logs


def fit_curve(model: keras.Model, *args: Any, **kwargs: Any) -> list[dict[str, float]]:
    heard = Curve()
    model.fit(*args, shuffle=False, verbose=0, callbacks=[heard], **kwargs)
    return heard.logs


def assert_close(
    ours: list[dict[str, float]], theirs: list[dict[str, float]], tolerance: float = ROUNDING
) -> None:
    assert len(ours) == len(theirs)
    for mine, their in zip(ours, theirs, strict=True):
        assert list(mine) == list(their)
        for name, value in their.items():
            np.testing.assert_allclose(mine[name], value, atol=tolerance, rtol=tolerance)


def compiled(model: keras.Model, loss: str, optimizer: Any = "adam") -> keras.Model:
    model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False)
    return model


def make_mlp() -> keras.Model:
    return compiled(
        keras.Sequential([keras.Input((6,)), layers.Dense(7, "relu"), layers.Dense(1, "sigmoid")]),
        "binary_crossentropy",
    )


def make_cnn() -> keras.Model:
    return compiled(
        keras.Sequential(
            [
                keras.Input((6, 6, 1)),
                layers.Conv2D(4, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dense(3, "softmax"),
            ]
        ),
        "sparse_categorical_crossentropy",
    )


def make_normalised() -> keras.Model:
    return compiled(
        keras.Sequential(
            [
                keras.Input((6,)),
                layers.Dense(7),
                layers.BatchNormalization(),
                layers.Activation("relu"),
                layers.Dense(1, "sigmoid"),
            ]
        ),
        "binary_crossentropy",
        keras.optimizers.SGD(0.1, momentum=0.9),
    )


def make_two_inputs() -> keras.Model:
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    joined = layers.Concatenate()([layers.Dense(3, "relu")(left), layers.Dense(2)(right)])
    outputs = {
        "a": layers.Dense(1, "sigmoid", name="a")(joined),
        "b": layers.Dense(1, name="b")(left),
    }
    model = keras.Model({"left": left, "right": right}, outputs)
    model.compile(
        "adam",
        {"a": "binary_crossentropy", "b": "mse"},
        loss_weights={"a": 1.0, "b": 0.5},
        metrics={"a": ["accuracy"]},
        jit_compile=False,
    )
    return model


class Shifted(keras.Model):
    """A `train_step` of the user's, which logs something of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = layers.Dense(5, "tanh")
        self.out = layers.Dense(1, "sigmoid")

    def call(self, inputs: Any) -> Any:
        return self.out(self.hidden(inputs))

    def train_step(self, *args: Any) -> Any:
        if keras.backend.backend() == "jax":
            logs, state = super().train_step(*args)
            return {**logs, "twice": 2 * logs["loss"]}, state
        logs = super().train_step(*args)
        return {**logs, "twice": 2 * logs["loss"]}


def make_custom() -> keras.Model:
    return compiled(Shifted(), "binary_crossentropy")


CASES: Mapping[str, tuple[Callable[[], keras.Model], Any, Any]] = {
    "mlp": (make_mlp, ROWS, LABELS),
    "cnn": (make_cnn, IMAGES, DIGITS),
    "batch normalisation": (make_normalised, ROWS, LABELS),
    "two inputs and outputs": (
        make_two_inputs,
        {"left": ROWS, "right": ROWS[::-1]},
        {"a": LABELS, "b": ROWS[:, 2]},
    ),
    "custom train_step": (make_custom, ROWS, LABELS),
}


def seeded(make: Callable[[], keras.Model]) -> keras.Model:
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(11)
    return make()


@pytest.mark.parametrize("case", CASES)
def test_curves_agree_with_fit_to_rounding(case: str) -> None:
    make, x, y = CASES[case]
    arguments = {"batch_size": 8, "validation_split": 0.2, "validation_batch_size": 3}
    data = FitData.from_fit(x, y, shuffle=False, **arguments)
    ours = curve(CompiledLoop(), seeded(make), data)
    theirs = fit_curve(seeded(make), x, y, epochs=5, **arguments)
    assert_close(ours, theirs)
    assert ours[0] != ours[-1]


@pytest.mark.parametrize("case", CASES)
def test_weights_agree_with_the_plain_way_when_shuffled(case: str) -> None:
    make, x, y = CASES[case]
    data = FitData.from_fit(x, y, batch_size=8, validation_split=0.2)
    one, two = seeded(make), seeded(make)
    assert_close(curve(CompiledLoop(), one, data, 3), curve(FitLoop(), two, data, 3))
    for mine, their in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_allclose(mine, their, atol=WEIGHTS)


def make_dropout(rate: float = 0.4, width: int = 7, l2: float = 0.01) -> keras.Model:
    penalty = keras.regularizers.L2(l2)
    return compiled(
        keras.Sequential(
            [
                keras.Input((6,)),
                layers.Dense(width, "tanh", kernel_regularizer=penalty),
                layers.Dropout(rate),
                layers.Dense(width + 2, "tanh"),
                layers.Dropout(rate / 2),
                layers.Dense(1, "sigmoid"),
            ]
        ),
        "binary_crossentropy",
    )


def test_dropout_draws_the_masks_that_the_plain_way_draws() -> None:
    data = FitData.from_fit(ROWS, LABELS, batch_size=8)
    ours = curve(CompiledLoop(), seeded(make_dropout), data)
    assert_close(ours, curve(FitLoop(), seeded(make_dropout), data))
    other = FitData.from_fit(ROWS, LABELS, batch_size=8)
    again = Curve()
    CompiledLoop().train(seeded(make_dropout), other, 1, 5, [again], EpochKeys(7, 4))
    assert abs(again.logs[0]["loss"] - ours[0]["loss"]) > 1e-4


def test_dropout_and_shuffling_have_the_distribution_of_fit() -> None:
    """Losses after 3 epochs over 12 seeds: means within 4 standard errors of their difference."""
    data = FitData.from_fit(ROWS, LABELS, batch_size=8)
    model, loop = seeded(make_dropout), CompiledLoop()
    build_all(model, data)
    state = [*model.variables, *model.optimizer.variables]
    start = [np.asarray(variable.value).copy() for variable in state]

    def last_loss(train: Callable[[Curve], Any]) -> float:
        for variable, value in zip(state, start, strict=True):
            variable.assign(value)
        heard = Curve()
        train(heard)
        return heard.logs[-1]["loss"]

    ours, theirs = [], []
    for seed in range(12):
        keys = EpochKeys(seed, 0)
        ours.append(last_loss(lambda heard, k=keys: loop.train(model, data, 1, 3, [heard], k)))
    for seed in range(12):
        keras.utils.set_random_seed(seed)
        for layer in (model.layers[1], model.layers[3]):
            start[[id(v) for v in state].index(id(layer.seed_generator.state))][0] = seed
        theirs.append(
            last_loss(
                lambda heard: model.fit(
                    ROWS, LABELS, batch_size=8, epochs=3, verbose=0, callbacks=[heard]
                )
            )
        )
    error = np.sqrt((np.var(ours, ddof=1) + np.var(theirs, ddof=1)) / 12)
    assert error > 0
    assert abs(np.mean(ours) - np.mean(theirs)) < 4 * error


def test_a_stopped_segment_goes_on_as_if_never_stopped() -> None:
    data = FitData.from_fit(ROWS, LABELS, batch_size=8, validation_split=0.2)
    whole = curve(CompiledLoop(), seeded(make_dropout), data, 4)
    loop, model, parts = CompiledLoop(), seeded(make_dropout), Curve()
    loop.train(model, data, 1, 1, [parts], KEYS)
    loop.train(seeded(lambda: make_dropout(0.1, 5)), data, 1, 2, [], EpochKeys(7, 9))
    loop.train(model, data, 2, 4, [parts], KEYS)
    assert parts.logs == whole


@pytest.mark.parametrize(
    "arguments",
    [
        {"class_weight": {0: 0.3, 1: 2.0}},
        {"sample_weight": np.linspace(0.1, 2.0, 45).astype("float32")},
        {"validation_split": 0.2, "validation_freq": 2},
        {"validation_split": 0.2, "validation_freq": [1, 4]},
        {"validation_data": (ROWS[:10], LABELS[:10], np.linspace(0, 1, 10).astype("float32"))},
        {"batch_size": 100},
        {},
    ],
    ids=lambda arguments: "-".join(arguments) or "defaults",
)
def test_arguments_of_fit(arguments: dict[str, Any]) -> None:
    settings = {"batch_size": 8, **arguments}
    data = FitData.from_fit(ROWS, LABELS, shuffle=False, **settings)
    ours = curve(CompiledLoop(), seeded(make_mlp), data)
    assert_close(ours, fit_curve(seeded(make_mlp), ROWS, LABELS, epochs=5, **settings))


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.Adam(0.01, clipnorm=0.5),
        lambda: keras.optimizers.Adam(0.01, amsgrad=True),
        lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
        lambda: keras.optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=7),
        lambda: keras.optimizers.Adam(0.01, use_ema=True),
        lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        lambda: keras.optimizers.RMSprop(0.01),
        lambda: keras.optimizers.Nadam(0.01),
        lambda: keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.05, 3, 0.7)),
    ],
)
def test_optimizers(optimizer: Callable[[], Any]) -> None:
    def make() -> keras.Model:
        return compiled(make_mlp(), "binary_crossentropy", optimizer())

    data = FitData.from_fit(ROWS, LABELS, batch_size=8, shuffle=False)
    one, two = seeded(make), seeded(make)
    assert_close(
        curve(CompiledLoop(), one, data), fit_curve(two, ROWS, LABELS, batch_size=8, epochs=5)
    )
    finish(one)
    for mine, their in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_allclose(mine, their, atol=ROUNDING)
