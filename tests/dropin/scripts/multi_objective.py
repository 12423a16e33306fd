"""Several objectives."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


def build_model(hp):
    model = keras.Sequential([keras.Input((4,))])
    model.add(keras.layers.Dense(hp.Int("units", 4, 12, step=4), "relu"))
    model.add(keras.layers.Dense(1, "sigmoid"))
    model.compile(
        "adam", "binary_crossentropy", metrics=["accuracy", keras.metrics.AUC(name="auc")]
    )
    return model


tuner = kt.RandomSearch(
    build_model,
    objective=["val_loss", kt.Objective("val_auc", "max")],
    max_trials=3,
    seed=2,
    directory="several",
)
tuner.search(x, y, epochs=2, validation_split=0.25, verbose=0)
for trial in tuner.oracle.get_best_trials(3):
    loss = trial.metrics.get_best_value("val_loss")
    print(trial.trial_id, loss, trial.metrics.get_best_value("val_auc"))
