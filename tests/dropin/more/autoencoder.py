"""An autoencoder: the targets are the inputs, its depth is tuned."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


def build_autoencoder(hp):
    encoder, decoder = keras.Sequential(name="encoder"), keras.Sequential(name="decoder")
    depth = hp.Int("depth", 1, 3)
    for i in range(depth):
        encoder.add(keras.layers.Dense(hp.Int(f"encoder_{i}", 2, 8, step=2), activation="relu"))
    encoder.add(keras.layers.Dense(hp.Int("code", 1, 3)))
    for i in range(depth):
        decoder.add(keras.layers.Dense(hp.Int(f"decoder_{i}", 2, 8, step=2), activation="relu"))
    decoder.add(keras.layers.Dense(4))
    model = keras.Sequential([keras.Input((4,)), encoder, decoder])
    model.compile("adam", loss="mse")
    return model


tuner = kt.BayesianOptimization(
    build_autoencoder, objective="val_loss", max_trials=3, directory="codes", overwrite=True
)
tuner.search(x, x, epochs=2, validation_data=(x[:16], x[:16]), shuffle=True, verbose=0)
best = tuner.get_best_models()[0]
print(best.get_layer("encoder").predict(x, verbose=0).shape)
