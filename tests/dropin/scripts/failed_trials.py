"""build_model refuses some configurations."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


def build_model(hp):
    model = keras.Sequential([keras.Input((4,))])
    model.add(keras.layers.Dense(hp.Int("units", 4, 64, step=4), activation="relu"))
    model.add(keras.layers.Dense(1))
    model.compile("adam", "mse")
    if model.count_params() > 100:
        raise kt.errors.FailedTrialError(f"{model.count_params()} parameters are too many.")
    return model


tuner = kt.GridSearch(
    build_model,
    objective="val_loss",
    max_trials=6,
    max_retries_per_trial=1,
    max_consecutive_failed_trials=8,
    directory="failed",
)
tuner.search(x, y, epochs=1, validation_data=(x, y), verbose=0)
for trial in tuner.oracle.trials.values():
    print(trial.trial_id, trial.status, trial.hyperparameters.values)
