"""Two inputs, two outputs, and the metric of one of them as the objective."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


prices = x.sum(axis=1, keepdims=True)


def build_model(hp):
    left = keras.Input((4,), name="left")
    right = keras.Input((4,), name="right")
    merged = keras.layers.concatenate([left, right])
    merged = keras.layers.Dense(hp.Int("units", 4, 8, step=4), activation="relu")(merged)
    price = keras.layers.Dense(1, name="price")(merged)
    sold = keras.layers.Dense(1, activation="sigmoid", name="sold")(merged)
    model = keras.Model([left, right], {"price": price, "sold": sold})
    model.compile(
        optimizer="adam",
        loss={"price": "mse", "sold": "binary_crossentropy"},
        loss_weights={"price": hp.Float("weight", 0.1, 1.0), "sold": 1.0},
        metrics={"price": ["mae"], "sold": ["accuracy"]},
    )
    return model


tuner = kt.RandomSearch(
    build_model,
    objective=kt.Objective("val_price_mae", direction="min"),
    max_trials=2,
    directory="outputs",
    project_name="several",
)
targets = {"price": prices, "sold": y[:, None]}
tuner.search([x, x], targets, validation_data=([x, x], targets), epochs=1, verbose=0)
print(tuner.get_best_models()[0].predict([x, x], verbose=0)["price"].shape)
