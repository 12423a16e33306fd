"""Old habits: a name declared twice, odd steps, values read before they are declared."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


hp = kt.HyperParameters()
hp.Choice("activation", ["relu", "tanh"])
hp.Int("units", 4, 16, step=4)


def build_model(hp):
    model = keras.Sequential([keras.Input((4,))])
    model.add(keras.layers.Dense(hp["units"], activation=hp.get("activation")))
    if hp.Boolean("second"):
        model.add(keras.layers.Dense(hp.get("units")))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    rate = hp.Float("rate", min_value=1e-4, max_value=1e-2, sampling="log", default=1e-3)
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


tuner = kt.RandomSearch(
    build_model, hyperparameters=hp, objective="val_accuracy", max_trials=3, directory="declared"
)
tuner.search(x, y, epochs=1, validation_data=(x, y), verbose=0)
for best in tuner.get_best_hyperparameters(2):
    print(best.values, best.is_active("second"), best.space[0].name)
