"""Batches from tf.data, and a layer adapted outside of build_model."""

import keras
import numpy as np
import tensorflow as tf

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(64, seed=1).batch(16).cache()
train_ds = dataset.take(3).prefetch(tf.data.AUTOTUNE)
val_ds = dataset.skip(3)
normalization = keras.layers.Normalization()
normalization.adapt(x)


def build_model(hp):
    inputs = keras.Input(shape=(4,))
    hidden = normalization(inputs)
    hidden = keras.layers.Dense(hp.Int("units", 4, 16, step=4), hp.Choice("act", ["relu", "elu"]))(
        hidden
    )
    outputs = keras.layers.Dense(1, activation="sigmoid")(hidden)
    model = keras.Model(inputs, outputs)
    model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
    return model


tuner = kt.BayesianOptimization(
    build_model,
    objective=kt.Objective("val_accuracy", direction="max"),
    max_trials=3,
    num_initial_points=2,
    alpha=1e-3,
    beta=2.0,
    seed=7,
    overwrite=True,
    directory="pipelines",
)
tuner.search(train_ds, validation_data=val_ds, epochs=2, verbose=0)
print(tuner.get_best_models()[0].evaluate(val_ds, verbose=0))
