"""A HyperModel whose fit tunes the epochs, under a tuner that plans none."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


class Model(kt.HyperModel):
    def build(self, hp):
        model = keras.Sequential([keras.Input((4,))])
        model.add(keras.layers.Dense(hp.Int("units", 4, 8, 4), activation="relu"))
        model.add(keras.layers.Dense(1, activation="sigmoid"))
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        return model

    def fit(self, hp, model, x, y, **kwargs):
        if hp.Boolean("normalize"):
            x = keras.utils.normalize(x)
        return model.fit(
            x, y, epochs=hp.Int("epochs", 1, 2), batch_size=hp.Int("batch", 16, 32, 16), **kwargs
        )


tuner = kt.BayesianOptimization(Model(), "val_accuracy", max_trials=3, directory="tuned")
tuner.search(x, y, validation_data=(x, y), verbose=0)
best = tuner.get_best_hyperparameters()[0]
print(best.get("epochs"), best.get("batch"), best.values)
