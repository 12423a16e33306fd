"""All combinations, and a table made of them by hand."""

import keras
import numpy as np
import pandas as pd

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


def build_model(hp):
    model = keras.Sequential([keras.Input((4,))])
    model.add(keras.layers.Dense(hp.Choice("units", [4, 8]), activation="relu"))
    model.add(keras.layers.Dropout(hp.Float("dropout", 0.0, 0.2, step=0.2)))
    model.add(keras.layers.Dense(1))
    model.compile(hp.Choice("optimizer", ["adam", "sgd"]), "mse", metrics=["mae"])
    return model


tuner = kt.GridSearch(build_model, objective="val_loss", directory="grid", seed=1)
tuner.search(x, y, epochs=1, validation_data=(x, y), verbose=0)
rows = [
    {**trial.hyperparameters.values, "score": trial.score, "epoch": trial.best_step}
    for trial in tuner.oracle.get_best_trials(num_trials=100)
]
table = pd.DataFrame(rows).sort_values("score")
print(table.to_string())
assert len(table.drop_duplicates(["units", "dropout", "optimizer"])) == 8
