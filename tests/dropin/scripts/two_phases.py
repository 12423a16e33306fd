"""Frozen layers first, all of them afterwards, both in HyperModel.fit."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


class FineTuned(kt.HyperModel):
    def build(self, hp):
        self.base = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu")])
        self.base.trainable = False
        model = keras.Sequential([keras.Input((4,)), self.base])
        model.add(keras.layers.Dropout(hp.Float("dropout", 0.1, 0.5, step=0.2)))
        model.add(keras.layers.Dense(1, activation="sigmoid"))
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        return model

    def fit(self, hp, model, *args, **kwargs):
        model.fit(*args, **kwargs)
        self.base.trainable = True
        rate = hp.Float("fine_rate", 1e-5, 1e-3, sampling="log")
        model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
        return model.fit(*args, **kwargs)


tuner = kt.RandomSearch(FineTuned(), "val_accuracy", max_trials=2, directory="phases")
tuner.search(x, y, epochs=2, validation_data=(x, y), verbose=0)
print(tuner.get_best_hyperparameters()[0].values)
