"""One model spread over devices within each trial."""

import keras
import numpy as np
import tensorflow as tf

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


def build_model(hp):
    model = keras.Sequential([keras.Input((4,))])
    model.add(keras.layers.Dense(hp.Int("units", 4, 8, step=4), "relu"))
    model.add(keras.layers.Dense(1, "sigmoid"))
    model.compile("sgd", "mse")
    return model


tuner = kt.Hyperband(
    hypermodel=build_model,
    objective="val_accuracy",
    max_epochs=2,
    factor=2,
    optimizer=keras.optimizers.Adam(1e-2),
    loss="binary_crossentropy",
    metrics=["accuracy"],
    distribution_strategy=tf.distribute.MirroredStrategy(["/cpu:0"]),
    max_model_size=1000,
    directory="distributed",
    project_name="mirrored",
    overwrite=True,
)
tuner.search(x, y, validation_data=(x, y), steps_per_epoch=2, batch_size=32, verbose=0)
print(tuner.get_best_models()[0].optimizer.learning_rate)
