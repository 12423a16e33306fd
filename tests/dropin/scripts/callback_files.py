"""Callbacks that write files, which are read when the search is over."""

from pathlib import Path

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


def build_model(hp):
    model = keras.Sequential([keras.Input((4,))])
    model.add(keras.layers.Dense(hp.Int("units", 4, 12, step=4), activation="relu"))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


tuner = kt.RandomSearch(build_model, "val_accuracy", max_trials=2, directory="files")
tuner.search(
    x,
    y,
    epochs=2,
    validation_split=0.25,
    verbose=0,
    callbacks=[
        keras.callbacks.ModelCheckpoint("best.keras", monitor="val_loss", save_best_only=True),
        keras.callbacks.CSVLogger("training.csv"),
        keras.callbacks.ReduceLROnPlateau(patience=1),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.TensorBoard("logs"),
    ],
)
print(keras.models.load_model("best.keras").evaluate(x, y, verbose=0))
print(Path("training.csv").exists(), sorted(path.name for path in Path("logs").iterdir()))
