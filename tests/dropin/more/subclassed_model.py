"""A subclassed model, a metric and a loss of one's own, and an objective from a callback."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


class Classifier(keras.Model):
    def __init__(self, units, rate):
        super().__init__()
        self.hidden = keras.layers.Dense(units, activation="relu")
        self.dropout = keras.layers.Dropout(rate)
        self.out = keras.layers.Dense(1, activation="sigmoid")

    def call(self, inputs, training=False):
        return self.out(self.dropout(self.hidden(inputs), training=training))


def squared(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


class Gap(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["gap"] = abs(logs["val_loss"] - logs["loss"])


def build_model(hp):
    model = Classifier(hp.Int("units", 4, 8, step=4), hp.Float("rate", 0.0, 0.5))
    model.compile("adam", loss=squared, metrics=[keras.metrics.MeanAbsoluteError(name="error")])
    return model


tuner = kt.RandomSearch(
    build_model,
    objective=[kt.Objective("val_error", "min"), kt.Objective("gap", "min")],
    max_trials=2,
    directory="subclassed",
)
tuner.search(x, y[:, None], epochs=2, validation_split=0.25, callbacks=[Gap()], verbose=0)
print(tuner.get_best_models()[0](x[:2]).shape)
