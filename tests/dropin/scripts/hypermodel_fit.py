"""A HyperModel whose fit has parameters of its own."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(96, 4)).astype("float32")
y = x.sum(axis=1, keepdims=True)


class MyHyperModel(kt.HyperModel):
    def build(self, hp):
        model = keras.Sequential([keras.Input((4,))])
        if hp.Boolean("normalize"):
            model.add(keras.layers.BatchNormalization())
        model.add(keras.layers.Dense(hp.Int("units", 4, 12, step=4), activation="relu"))
        model.add(keras.layers.Dense(1))
        model.compile(optimizer="adam", loss="mse", metrics=["mae"])
        return model

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(
            *args,
            batch_size=hp.Choice("batch_size", [16, 32]),
            shuffle=hp.Boolean("shuffle"),
            **kwargs,
        )


tuner = kt.Hyperband(
    MyHyperModel(name="small"),
    objective="val_mae",
    max_epochs=3,
    factor=3,
    seed=0,
    directory="fitting",
    project_name="hypermodel",
)
tuner.search(
    x,
    y,
    validation_data=(x[:32], y[:32]),
    callbacks=[keras.callbacks.EarlyStopping("val_mae", patience=2)],
    verbose=0,
)
best_hp = tuner.get_best_hyperparameters()[0]
model = MyHyperModel().build(best_hp)
MyHyperModel().fit(best_hp, model, x, y, epochs=1, verbose=0)
print(best_hp.get("batch_size"), tuner.get_best_models()[0].count_params())
