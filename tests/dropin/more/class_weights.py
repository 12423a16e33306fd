"""Rare classes: weights, an AUC, a metric with a name, a decaying rate."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


def build_model(hp):
    model = keras.Sequential([keras.Input((4,))])
    for i in range(hp.Int("layers", 1, 2)):
        model.add(keras.layers.Dense(units=hp.Int(f"units{i}", 4, 8, 4), activation="relu"))
        model.add(keras.layers.Dropout(hp.Float(f"dropout{i}", 0.0, 0.4, 0.2)))
    model.add(
        keras.layers.Dense(
            1,
            activation="sigmoid",
            kernel_regularizer=keras.regularizers.L2(hp.Float("l2", 1e-5, 1e-2, sampling="log")),
        )
    )
    decay = keras.optimizers.schedules.ExponentialDecay(hp.Float("rate", 1e-3, 1e-1), 10, 0.9)
    model.compile(
        keras.optimizers.Adam(decay),
        keras.losses.BinaryCrossentropy(label_smoothing=0.1),
        metrics=[keras.metrics.AUC(name="auc", curve="PR"), keras.metrics.Recall(name="recall")],
    )
    return model


tuner = kt.BayesianOptimization(
    build_model,
    objective=kt.Objective("val_auc", direction="max"),
    max_trials=2,
    executions_per_trial=1,
    directory="rare",
)
tuner.search(
    x,
    y,
    epochs=2,
    class_weight={0: 1.0, 1: 3.0},
    validation_data=(x[:32], y[:32], np.full(32, 0.5)),
    callbacks=[keras.callbacks.EarlyStopping("val_auc", mode="max", restore_best_weights=True)],
    verbose=0,
)
tuner.get_best_models(2)[0].summary()
