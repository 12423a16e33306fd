"""Two to twenty layers with parameters of their own."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


def build_model(hp):
    model = keras.Sequential([keras.Input((4,))])
    for i in range(hp.Int("layers", 2, 20)):
        units = hp.Int(f"units_{i}", 4, 32, step=4)
        activation = hp.Choice(f"act_{i}", ["relu", "sigmoid", "tanh"])
        model.add(keras.layers.Dense(units, activation=activation))
        model.add(keras.layers.Dropout(hp.Choice("drop", [0.2, 0.3, 0.4, 0.5])))
    model.add(keras.layers.Dense(1))
    model.compile(hp.Choice("optimizer", ["adam", "adadelta", "adagrad"]), "mse")
    return model


tuner = kt.RandomSearch(build_model, objective="val_loss", max_trials=3, directory="deep", seed=0)
tuner.search(x, y, epochs=2, validation_data=(x, y), verbose=0)
print(len(tuner.get_best_hyperparameters()[0].values))
