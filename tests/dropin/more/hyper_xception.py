"""A ready-made Xception."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
images = rng.random((8, 32, 32, 3)).astype("float32")
labels = keras.utils.to_categorical([0, 1] * 4, 2)

tuner = kt.RandomSearch(
    kt.applications.HyperXception(input_shape=(32, 32, 3), classes=2),
    objective="val_accuracy",
    max_trials=1,
    seed=3,
    directory="ready_made",
)
tuner.search(images, labels, epochs=1, validation_data=(images, labels), verbose=0)
print(tuner.get_best_hyperparameters()[0].values)
