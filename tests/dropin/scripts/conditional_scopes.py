"""Parameters that exist only under values of others."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 8, 8, 1)).astype("float32")
y = (x.mean(axis=(1, 2, 3)) > 0).astype(int)


def build_model(hp):
    inputs = keras.Input((8, 8, 1))
    model_type = hp.Choice("model_type", ["mlp", "cnn"])
    with hp.conditional_scope("model_type", ["mlp"]):
        if model_type == "mlp":
            hidden = keras.layers.Flatten()(inputs)
            for i in range(hp.Int("layers", 1, 2)):
                hidden = keras.layers.Dense(hp.Int(f"units_{i}", 4, 8), "relu")(hidden)
    with hp.conditional_scope("model_type", ["cnn"]):
        if model_type == "cnn":
            hidden = keras.layers.Conv2D(hp.Choice("filters", [2, 4]), 3, activation="relu")(inputs)
            hidden = keras.layers.GlobalAveragePooling2D()(hidden)
    with hp.name_scope("head"):
        rate = hp.Float("rate", 0.0, 0.5, step=0.25)
    outputs = keras.layers.Dense(1, "sigmoid")(keras.layers.Dropout(rate)(hidden))
    model = keras.Model(inputs, outputs)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


tuner = kt.BayesianOptimization(
    build_model,
    objective=kt.Objective("val_loss", direction="min"),
    max_trials=4,
    seed=1,
    directory="conditional",
)
tuner.search(x, y, validation_split=0.25, epochs=1, verbose=0)
for trial in tuner.oracle.get_best_trials(2):
    trial.summary()
print(sorted(tuner.oracle.get_space().values))
