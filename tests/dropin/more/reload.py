"""A finished search opened by a second tuner."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


def build_model(hp):
    model = keras.Sequential([keras.Input((4,))])
    model.add(keras.layers.Dense(hp.Int("units", 4, 12, step=4), activation="relu"))
    model.add(keras.layers.Dense(1))
    model.compile("adam", hp.Choice("loss", ["mse", "mae"]), metrics=["mse"])
    return model


def make_tuner():
    return kt.RandomSearch(
        build_model, objective="val_mse", max_trials=3, seed=11, directory="d", project_name="p"
    )


first = make_tuner()
first.search(x, y, epochs=1, validation_data=(x, y), verbose=0)
tuner = make_tuner()
tuner.reload()
tuner.results_summary()
assert [t.score for t in tuner.oracle.get_best_trials(3)] == [
    t.score for t in first.oracle.get_best_trials(3)
]
tuner.search(x, y, epochs=1, validation_data=(x, y), verbose=0)
states = [trial.get_state() for trial in tuner.oracle.trials.values()]
print(len(states), sorted(states[0]["hyperparameters"]["values"]))
print(tuner.get_best_models()[0].evaluate(x, y, verbose=0))
