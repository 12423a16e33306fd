"""Layers, models and training steps of the user's own."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from tests.helpers.fit_cases.case import (
    CLASSES,
    IMAGES,
    LABELS,
    ON_TENSORFLOW,
    ROWS,
    STEPS,
    TOKENS,
    VALUES,
    Case,
    arrays,
    compiled,
    dense,
    layers,
    stack,
)


class TwoBranches(keras.Model):
    """A subclass whose layers are made in the constructor."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = layers.Dense(4, "relu"), layers.Dense(4, "tanh")
        self.drop, self.out = layers.Dropout(0.3), layers.Dense(1, "sigmoid")

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.out(self.drop(self.left(inputs) * self.right(inputs), training=training))


class OwnStep(TwoBranches):
    """A `train_step` that logs something of its own."""

    def train_step(self, *args: Any) -> Any:
        if ON_TENSORFLOW:
            logs = super().train_step(*args)
            return {**logs, "twice": 2 * logs["loss"]}
        logs, state = super().train_step(*args)
        return {**logs, "twice": 2 * logs["loss"]}, state


class TwoOptimizers(keras.Model):
    """A step that updates halves of the model by optimizers of their own (TensorFlow)."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = layers.Dense(4, "tanh"), layers.Dense(1)
        self.other = keras.optimizers.SGD(0.1, momentum=0.9)
        self.seen = keras.metrics.Mean(name="seen")

    def call(self, inputs: Any) -> Any:
        return self.second(self.first(inputs))

    def train_step(self, data: Any) -> Any:
        import tensorflow as tf

        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        halves = [self.first.trainable_variables, self.second.trainable_variables]
        one, two = tape.gradient(loss, halves)
        self.optimizer.apply_gradients(zip(one, halves[0], strict=True))
        self.other.apply_gradients(zip(two, halves[1], strict=True))
        self.seen.update_state(loss)
        return {"loss": self.seen.result()}


class OwnLoss(keras.Model):
    """A `compute_loss` of its own, which adds a term."""

    def __init__(self) -> None:
        super().__init__()
        self.out = layers.Dense(1)

    def call(self, inputs: Any) -> Any:
        return self.out(inputs)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        plain = super().compute_loss(x, y, y_pred, sample_weight, training)
        return plain + 0.1 * keras.ops.mean(keras.ops.abs(y_pred))


class Noise(layers.Layer):
    """A layer of the user's own with a seed generator and a counter."""

    def __init__(self) -> None:
        super().__init__()
        self.seed = keras.random.SeedGenerator(3)

    def build(self, shape: Any) -> None:
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x: Any, training: bool = False) -> Any:
        if not training:
            return x
        self.calls.assign(self.calls + 1.0)
        return x + keras.random.normal(keras.ops.shape(x), stddev=0.1, seed=self.seed)


class Penalty(layers.Layer):
    """A layer that adds a loss."""

    def call(self, x: Any) -> Any:
        self.add_loss(0.01 * keras.ops.sum(keras.ops.square(x)))
        return x


def functional(make: Any, *shapes: tuple[int, ...], **given: Any) -> Any:
    """Returns a builder of a functional model: `make` maps inputs to outputs."""

    def build() -> keras.Model:
        inputs = [keras.Input(shape) for shape in shapes]
        return compiled(
            keras.Model(inputs if len(inputs) > 1 else inputs[0], make(*inputs)), **given
        )

    return build


def shared(left: Any, right: Any) -> Any:
    hidden = layers.Dense(4, "tanh", kernel_regularizer="l2")
    joined = layers.Concatenate()([hidden(left), hidden(right)])
    return layers.Dense(1, "sigmoid")(layers.Dropout(0.2)(joined))


def nested(x: Any) -> Any:
    inner = keras.Sequential([layers.Dense(4, "relu"), layers.BatchNormalization()])
    outer = keras.Sequential([keras.Input((4,)), layers.Dense(3, "tanh"), layers.Dropout(0.2)])
    return layers.Dense(1, "sigmoid")(layers.Add()([outer(inner(x)), layers.Dense(3)(x)]))


def attention(x: Any) -> Any:
    hidden = layers.Embedding(9, 4, mask_zero=True)(x)
    hidden = layers.MultiHeadAttention(2, 2, dropout=0.1)(hidden, hidden)
    hidden = layers.LayerNormalization()(hidden)
    return layers.Dense(1, "sigmoid")(layers.GlobalAveragePooling1D()(hidden))


def frozen() -> keras.Model:
    model = stack(dense(4), layers.BatchNormalization, dense(3, "relu"))()
    model.layers[0].trainable = model.layers[1].trainable = False
    return compiled(model)


def adapted() -> keras.Model:
    scale = layers.Normalization()
    scale.adapt(3 * ROWS + 1)
    return compiled(keras.Sequential([keras.Input((6,)), scale, *(m() for m in (dense(), LAST))]))


def own(kind: type[keras.Model], **given: Any) -> Any:
    return lambda: compiled(kind(), **given)


def unsupervised() -> keras.Model:
    x = keras.Input((6,))
    out = Penalty()(layers.Dense(6)(layers.Dense(2, "tanh")(x)))
    return compiled(keras.Model(x, out), loss=None)


def half_precision() -> keras.Model:
    with_policy = {"dtype": "mixed_bfloat16"}
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(5, "relu", **with_policy),
            layers.Dropout(0.2, **with_policy),
            layers.Dense(1, "sigmoid", dtype="float32"),
        ]
    )
    return compiled(model)


LAST = dense(1, "sigmoid")
ACCURATE = {"metrics": ["accuracy"]}
THREE = {"loss": "sparse_categorical_crossentropy", "last": dense(3, "softmax"), **ACCURATE}

CASES = {
    "batch normalisation, dropout, noise": Case(
        stack(
            dense(7, None, use_bias=False),
            layers.BatchNormalization,
            lambda: layers.Activation("relu"),
            lambda: layers.GaussianNoise(0.1),
            lambda: layers.Dropout(0.4),
            **ACCURATE,
        ),
        arrays(),
    ),
    "convolutions, pooling, spatial dropout": Case(
        stack(
            lambda: layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D,
            lambda: layers.SpatialDropout2D(0.3),
            layers.Flatten,
            shape=(6, 6, 1),
            **THREE,
        ),
        arrays(IMAGES, CLASSES),
    ),
    "separable convolution, group normalisation, augmentation": Case(
        stack(
            lambda: layers.RandomFlip("horizontal", seed=1),
            lambda: layers.SeparableConv2D(4, 3),
            lambda: layers.GroupNormalization(2),
            layers.GlobalAveragePooling2D,
            shape=(6, 6, 1),
            **THREE,
        ),
        arrays(IMAGES, CLASSES),
        tolerance=1e-4,
    ),
    "augmentation of places": Case(
        stack(
            lambda: layers.RandomFlip(),
            lambda: layers.RandomRotation(0.2),
            lambda: layers.RandomTranslation(0.2, 0.2),
            lambda: layers.RandomZoom(0.2),
            lambda: layers.RandomCrop(5, 5),
            lambda: layers.Conv2D(2, 3),
            layers.GlobalAveragePooling2D,
            shape=(6, 6, 1),
            **THREE,
        ),
        arrays(IMAGES, CLASSES),
        compiled=ON_TENSORFLOW,
        tolerance=1e-4,
    ),
    "augmentation of shapes": Case(
        stack(
            lambda: layers.RandomShear(0.2, 0.2),
            lambda: layers.RandomPerspective(0.5, 0.3),
            lambda: layers.RandomErasing(0.5, value_range=(0.0, 1.0)),
            lambda: layers.RandomGaussianBlur(0.5, 3, 1.0, value_range=(0.0, 1.0)),
            lambda: layers.Resizing(5, 5),
            lambda: layers.CenterCrop(4, 4),
            layers.GlobalAveragePooling2D,
            shape=(6, 6, 1),
            **THREE,
        ),
        arrays(IMAGES, CLASSES),
        compiled=ON_TENSORFLOW,
        tolerance=1e-4,
    ),
    "augmentation of colours": Case(
        stack(
            lambda: layers.RandomContrast(0.3),
            lambda: layers.RandomBrightness(0.3, value_range=(0.0, 1.0)),
            lambda: layers.RandomHue(0.2, value_range=(0.0, 1.0)),
            lambda: layers.RandomSaturation(0.2, value_range=(0.0, 1.0)),
            lambda: layers.RandomSharpness(0.2, value_range=(0.0, 1.0)),
            lambda: layers.RandomGrayscale(0.5),
            layers.GlobalAveragePooling2D,
            shape=(6, 6, 3),
            **THREE,
        ),
        arrays(np.random.default_rng(3).uniform(size=(45, 6, 6, 3)).astype("float32"), CLASSES),
        tolerance=1e-4,
    ),
    "LSTM with dropout, bidirectional": Case(
        stack(
            lambda: layers.Bidirectional(layers.LSTM(3, dropout=0.2, recurrent_dropout=0.1)),
            shape=(5, 3),
            **ACCURATE,
        ),
        arrays(STEPS),
    ),
    "embedding with a mask, GRU": Case(
        stack(
            lambda: layers.Embedding(9, 4, mask_zero=True),
            lambda: layers.GRU(3),
            shape=(5,),
            **ACCURATE,
        ),
        arrays(TOKENS),
    ),
    "a stateful recurrent layer": Case(
        lambda: compiled(
            keras.Sequential(
                [
                    keras.Input(batch_shape=(9, 5, 3)),
                    layers.SimpleRNN(3, stateful=True),
                    layers.Dense(1, "sigmoid"),
                ]
            )
        ),
        {"x": STEPS, "y": LABELS, "batch_size": 9},
    ),
    "attention": Case(functional(attention, (5,), **ACCURATE), arrays(TOKENS)),
    "spectral normalisation": Case(
        stack(lambda: layers.SpectralNormalization(layers.Dense(4, "relu")), dense(3)), arrays()
    ),
    "a shared layer and its penalty": Case(
        functional(shared, (6,), (6,), **ACCURATE), arrays([ROWS, ROWS[::-1]])
    ),
    "nested models": Case(functional(nested, (6,), **ACCURATE), arrays()),
    "a subclass": Case(own(TwoBranches, **ACCURATE), arrays()),
    "a step of the user's own": Case(own(OwnStep, **ACCURATE), arrays()),
    "a loss of the model's own": Case(own(OwnLoss, loss="mse"), arrays(y=VALUES)),
    "two optimizers": Case(
        own(TwoOptimizers, loss="mse"),
        {"x": ROWS, "y": VALUES, "batch_size": 8},
        applies=ON_TENSORFLOW,
    ),
    "a layer with a seed generator and a counter": Case(stack(Noise, dense(3)), arrays()),
    "a layer that adds a loss": Case(stack(dense(3), Penalty), arrays()),
    "no targets": Case(unsupervised, {"x": ROWS, "batch_size": 8, "validation_data": (ROWS[:9],)}),
    "frozen layers": Case(frozen, arrays()),
    "adapted normalisation": Case(adapted, arrays()),
    "sequential without an input": Case(
        lambda: compiled(
            keras.Sequential([layers.Dense(4, "relu"), layers.Dropout(0.2), layers.Dense(1)]),
            loss="mse",
        ),
        arrays(y=VALUES),
    ),
    "half precision": Case(half_precision, arrays(), tolerance=2e-2, weights=2e-2),
    "rates and penalties of 0": Case(
        stack(
            dense(4, kernel_regularizer=lambda: keras.regularizers.L2(0.0)),
            lambda: layers.Dropout(0.0),
            lambda: layers.AlphaDropout(0.2),
            lambda: layers.GaussianDropout(0.2),
        ),
        arrays(np.asarray(ROWS), LABELS),
    ),
}
