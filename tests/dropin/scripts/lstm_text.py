"""Strings, vectorized in the model, and recurrent layers."""

import keras
import numpy as np
import tensorflow as tf

import kerashpo as kt  # was: import keras_tuner as kt

texts = ["a good film", "bad bad film", "good fun", "no fun at all"] * 8
labels = np.array([1, 0, 1, 0] * 8)
dataset = tf.data.Dataset.from_tensor_slices((texts, labels)).batch(8)
vectorize = keras.layers.TextVectorization(max_tokens=20, output_sequence_length=4)
vectorize.adapt(dataset.map(lambda text, label: text))


def build_model(hp):
    inputs = keras.Input(shape=(1,), dtype="string")
    x = vectorize(inputs)
    x = keras.layers.Embedding(20, hp.Choice("embedding", [2, 4]), mask_zero=True)(x)
    if hp.Boolean("bidirectional"):
        x = keras.layers.Bidirectional(keras.layers.LSTM(3))(x)
    else:
        x = keras.layers.LSTM(3)(x)
    outputs = keras.layers.Dense(1, activation="sigmoid")(x)
    model = keras.Model(inputs, outputs)
    model.compile(
        hp.Choice("optimizer", ["adam", "rmsprop"]), "binary_crossentropy", metrics=["accuracy"]
    )
    return model


tuner = kt.RandomSearch(build_model, "val_loss", max_trials=2, directory="text", seed=5)
tuner.search(dataset, validation_data=dataset, epochs=1, verbose=0)
print(tuner.get_best_models()[0].predict(tf.constant([["good film"]]), verbose=0).shape)
