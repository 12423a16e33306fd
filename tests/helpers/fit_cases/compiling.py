"""Losses, metrics, weights and optimizers."""

from __future__ import annotations

from typing import Any

import keras

from tests.helpers.fit_cases.case import (
    CLASSES,
    LABELS,
    ON_TENSORFLOW,
    ONE_HOT,
    ROWS,
    VALUES,
    WEIGHTS,
    Case,
    Make,
    arrays,
    compiled,
    dense,
    layers,
    stack,
)

losses, metrics, optimizers = keras.losses, keras.metrics, keras.optimizers
schedules, regularizers = optimizers.schedules, keras.regularizers
ops = keras.ops
LOGIT = dense(1, None)
SCORES = dense(3, None)
SHARES = dense(3, "softmax")


def scaled_error(factor: float) -> Any:
    """Returns a loss that reads a number of the function around it."""
    return lambda y, p: factor * ops.mean(ops.square(y - p), axis=-1)


def bias(y: Any, p: Any) -> Any:
    """A metric that is a function."""
    return ops.mean(p - y, axis=-1)


class Pinball(losses.Loss):
    """A loss of the user's own, with a number and a variable."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def call(self, y_true: Any, y_pred: Any) -> Any:
        error = y_true - y_pred
        return ops.mean(ops.maximum(self.share * error, (self.share - 1) * error), axis=-1)


class Largest(metrics.Metric):
    """A metric whose state is not a mean."""

    def __init__(self, name: str = "largest") -> None:
        super().__init__(name=name)
        self.value = self.add_variable((), "zeros", name="value")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.value.assign(ops.maximum(self.value, ops.max(ops.abs(y_true - y_pred))))

    def result(self) -> Any:
        return 1.0 * self.value  # `fit` logs a variable itself with what validation left in it


class Both(metrics.Metric):
    """A metric that returns a dict."""

    def __init__(self) -> None:
        super().__init__(name="both")
        self.low, self.high = metrics.Mean(name="low"), metrics.Mean(name="high")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.low.update_state(ops.min(y_pred))
        self.high.update_state(ops.max(y_pred))

    def result(self) -> Any:
        return {"low": self.low.result(), "high": self.high.result()}

    def reset_state(self) -> None:
        self.low.reset_state()
        self.high.reset_state()


class HalfLife(schedules.LearningRateSchedule):
    """A schedule of the user's own."""

    def __call__(self, step: Any) -> Any:
        return 0.05 * ops.power(0.5, ops.cast(step, "float32") / 4.0)

    def get_config(self) -> dict[str, Any]:
        return {}


def without_bias_decay() -> Any:
    optimizer = optimizers.AdamW(0.01, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


def two_outputs(loss: Any, **given: Any) -> Any:
    """Returns a builder of a model with outputs named a and b."""

    def build() -> keras.Model:
        x = keras.Input((6,))
        hidden = layers.Dense(4, "tanh")(x)
        a = layers.Dense(1, "sigmoid", name="a")(hidden)
        b = layers.Dense(1, name="b")(hidden)
        outputs = [a, b] if isinstance(loss, list) else {"a": a, "b": b}
        return compiled(keras.Model(x, outputs), None, loss, **given)

    return build


LOSSES = {
    "binary cross-entropy with label smoothing, AUC, class weights": Case(
        stack(
            loss=Make(lambda: losses.BinaryCrossentropy(label_smoothing=0.1)),
            metrics=Make(lambda: [metrics.AUC(num_thresholds=20)]),
            optimizer=lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        ),
        arrays(class_weight={0: 0.3, 1: 2.0}),
    ),
    "binary cross-entropy from logits, precision and recall at thresholds": Case(
        stack(
            last=LOGIT,
            loss=Make(lambda: losses.BinaryCrossentropy(from_logits=True)),
            metrics=Make(
                lambda: [
                    metrics.Precision(thresholds=[0.2, 0.5]),
                    metrics.Recall(thresholds=0.3),
                    metrics.BinaryAccuracy(threshold=0.4),
                ]
            ),
            optimizer=lambda: optimizers.Adam(0.01, amsgrad=True),
        ),
        arrays(sample_weight=WEIGHTS),
    ),
    "sparse cross-entropy from logits, top k, decay without biases": Case(
        stack(
            last=SCORES,
            loss=Make(lambda: losses.SparseCategoricalCrossentropy(from_logits=True)),
            metrics=Make(
                lambda: [metrics.SparseTopKCategoricalAccuracy(2), "sparse_categorical_accuracy"]
            ),
            optimizer=without_bias_decay,
        ),
        arrays(y=CLASSES),
    ),
    "categorical cross-entropy with label smoothing, F1 as a vector": Case(
        stack(
            last=SHARES,
            loss=Make(lambda: losses.CategoricalCrossentropy(label_smoothing=0.2)),
            metrics=Make(
                lambda: [metrics.F1Score(), metrics.F1Score("macro", name="f"), "accuracy"]
            ),
            optimizer=lambda: optimizers.RMSprop(0.01, centered=True, momentum=0.5),
        ),
        arrays(y=ONE_HOT, class_weight={0: 0.5, 2: 3.0}),
    ),
    "Huber, R2, RMSE": Case(
        stack(
            last=LOGIT,
            loss=Make(lambda: losses.Huber(0.3)),
            metrics=Make(lambda: [metrics.R2Score(), metrics.RootMeanSquaredError()]),
            optimizer=lambda: optimizers.Nadam(0.01),
        ),
        arrays(y=VALUES),
    ),
    "hinge, Lion": Case(
        stack(
            last=dense(1, "tanh"),
            loss="hinge",
            metrics=["hinge", "squared_hinge"],
            optimizer=lambda: optimizers.Lion(0.01),
        ),
        arrays(y=2 * LABELS - 1),
    ),
    "a function as loss and one as metric, Adafactor": Case(
        stack(
            last=LOGIT,
            loss=Make(lambda: scaled_error(1.5)),
            metrics=[bias],
            optimizer=lambda: optimizers.Adafactor(0.05),
        ),
        arrays(y=VALUES),
    ),
    "a class as loss, stateful metrics, Ftrl": Case(
        stack(
            last=LOGIT,
            loss=Make(lambda: Pinball(0.8)),
            metrics=Make(lambda: [Largest(), Both()]),
            optimizer=lambda: optimizers.Ftrl(0.1, l1_regularization_strength=0.01),
        ),
        arrays(y=VALUES),
    ),
    "focal loss, balanced, sensitivity": Case(
        stack(
            loss=Make(lambda: losses.BinaryFocalCrossentropy(apply_class_balancing=True)),
            metrics=Make(
                lambda: [
                    metrics.SensitivityAtSpecificity(0.5, num_thresholds=9),
                    metrics.TruePositives(),
                ]
            ),
            optimizer=lambda: optimizers.Adagrad(0.1),
        ),
        arrays(),
    ),
    "Poisson, L1, L2 and orthogonal penalties": Case(
        stack(
            dense(4, "relu", kernel_regularizer=lambda: regularizers.L1L2(0.01, 0.02)),
            dense(4, "tanh", kernel_regularizer=lambda: regularizers.OrthogonalRegularizer(0.02)),
            dense(
                4, bias_regularizer=lambda: "l2", activity_regularizer=lambda: regularizers.L1(0.01)
            ),
            last=dense(1, "exponential"),
            loss="poisson",
            metrics=["mae", "mape"],
            optimizer=lambda: optimizers.Adamax(0.01),
        ),
        arrays(y=abs(VALUES)),
    ),
    "cosine similarity and constraints": Case(
        stack(
            dense(4, kernel_constraint=lambda: keras.constraints.MaxNorm(0.5)),
            dense(4, kernel_constraint=lambda: keras.constraints.UnitNorm()),
            last=dense(3, None, bias_constraint=lambda: "non_neg"),
            loss="cosine_similarity",
            metrics=["cosine_similarity"],
            optimizer=lambda: optimizers.Adadelta(1.0),
        ),
        arrays(y=ONE_HOT),
    ),
    "KL divergence, mean IoU": Case(
        stack(
            last=SHARES,
            loss="kl_divergence",
            metrics=Make(
                lambda: [
                    metrics.OneHotMeanIoU(3),
                    metrics.OneHotIoU(3, [0, 2]),
                    metrics.KLDivergence(),
                ]
            ),
            optimizer=lambda: optimizers.Lamb(0.01),
        ),
        arrays(y=ONE_HOT),
    ),
    "Tversky of a sum, no metrics": Case(
        stack(loss=Make(lambda: losses.Tversky(0.7, 0.3, reduction="sum"))),
        arrays(y=LABELS[:, None]),
    ),
    "two outputs as a dict, loss weights, weights for each": Case(
        two_outputs(
            {"a": "binary_crossentropy", "b": "mse"},
            loss_weights={"a": 1.0, "b": 0.3},
            metrics={"a": ["accuracy"]},
            weighted_metrics={"b": ["mae"]},
        ),
        arrays(y={"a": LABELS, "b": VALUES}, sample_weight={"a": WEIGHTS, "b": WEIGHTS[::-1]}),
    ),
    "two outputs as a list, one loss missing": Case(
        two_outputs(["binary_crossentropy", "log_cosh"], weighted_metrics=[["accuracy"], ["mse"]]),
        arrays(y=[LABELS, VALUES], sample_weight=WEIGHTS),
    ),
}

PLAIN = arrays(y=VALUES)


def regression(optimizer: Any, **given: Any) -> Any:
    return stack(last=LOGIT, loss="mse", metrics=["mae"], optimizer=optimizer, **given)


OPTIMIZERS = {
    "averages of weights": Case(
        regression(lambda: optimizers.Adam(0.01, use_ema=True, ema_momentum=0.8)), PLAIN
    ),
    "averages that overwrite within epochs": Case(
        regression(
            lambda: optimizers.SGD(
                0.05, momentum=0.5, use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=7
            )
        ),
        PLAIN,
    ),
    "accumulated gradients": Case(
        regression(lambda: optimizers.Adam(0.02, gradient_accumulation_steps=3)), PLAIN
    ),
    "clipped by norm, decayed": Case(
        regression(lambda: optimizers.SGD(0.05, clipnorm=0.3, weight_decay=0.1)), PLAIN
    ),
    "clipped by the global norm, cosine decay with a warm-up": Case(
        regression(
            lambda: optimizers.Adam(
                schedules.CosineDecay(0.01, 15, warmup_target=0.05, warmup_steps=6),
                global_clipnorm=0.5,
            )
        ),
        PLAIN,
    ),
    "clipped by value, piecewise rates": Case(
        regression(
            lambda: optimizers.SGD(
                schedules.PiecewiseConstantDecay([3, 12], [0.1, 0.05, 0.01]), clipvalue=0.1
            )
        ),
        PLAIN,
    ),
    "exponential decay in a staircase": Case(
        regression(
            lambda: optimizers.RMSprop(schedules.ExponentialDecay(0.02, 7, 0.5, staircase=True))
        ),
        PLAIN,
    ),
    "restarts of a cosine": Case(
        regression(lambda: optimizers.Adam(schedules.CosineDecayRestarts(0.05, 4))), PLAIN
    ),
    "a schedule of the user's own": Case(regression(lambda: optimizers.Adam(HalfLife())), PLAIN),
    "scaled losses": Case(
        regression(
            lambda: optimizers.LossScaleOptimizer(
                optimizers.Adam(0.01), initial_scale=64.0, dynamic_growth_steps=6
            )
        ),
        PLAIN,
    ),
    "Muon, several steps an execution": Case(
        regression(lambda: optimizers.Muon(0.01), steps_per_execution=2),
        arrays(ROWS[:40], VALUES[:40], validation_split=0.0, steps_per_epoch=4),
        applies=ON_TENSORFLOW,
    ),
}

CASES = {**LOSSES, **OPTIMIZERS}
