"""A search space cut to size from outside of build_model."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


def build_model(hp):
    model = keras.Sequential([keras.Input((4,))])
    for i in range(hp.Int("num_layers", 1, 2)):
        model.add(keras.layers.Dense(hp.Int(f"units_{i}", 4, 16, step=4), "relu"))
    model.add(keras.layers.Dense(1, "sigmoid"))
    rate = hp.Choice("learning_rate", [1e-2, 1e-3, 1e-4])
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


hp = kt.HyperParameters()
hp.Float("learning_rate", min_value=1e-4, max_value=1e-2, sampling="log")
tuner = kt.RandomSearch(
    build_model,
    hyperparameters=hp,
    tune_new_entries=False,
    objective="val_accuracy",
    max_trials=3,
    overwrite=True,
    directory="tailored",
    project_name="search_a_few",
)
tuner.search(x, y, epochs=1, validation_data=(x, y), verbose=0)

fixed = kt.HyperParameters()
fixed.Fixed("learning_rate", value=1e-2)
fixed.Int("num_layers", 1, 2)
fixed.Int("units_0", 4, 8, step=4)
fixed.Int("units_1", 4, 8, step=4)
rest = kt.GridSearch(
    build_model,
    hyperparameters=fixed,
    allow_new_entries=False,
    optimizer="sgd",
    loss="mse",
    metrics=["accuracy"],
    objective="val_accuracy",
    max_trials=3,
    overwrite=True,
    directory="tailored",
    project_name="search_all",
)
rest.search(x, y, epochs=1, validation_data=(x, y), verbose=0)
print({h.values["learning_rate"] for h in rest.get_best_hyperparameters(3)})
