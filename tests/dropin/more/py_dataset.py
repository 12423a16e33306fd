"""Batches from a Sequence of one's own."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


class Batches(keras.utils.PyDataset):
    def __init__(self, x, y, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.batch_size = x, y, batch_size

    def __len__(self):
        return len(self.x) // self.batch_size

    def __getitem__(self, index):
        rows = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return self.x[rows], self.y[rows]


def build_model(hp):
    model = keras.Sequential([keras.Input((4,))])
    model.add(keras.layers.Dense(hp.Int("units", 4, 12, step=4), activation="selu"))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    model.compile(keras.optimizers.Nadam(hp.Choice("rate", [0.01, 0.001])), "mse", metrics=["mae"])
    return model


tuner = kt.RandomSearch(build_model, "val_mae", max_trials=2, directory="sequences")
tuner.search(Batches(x, y, 16), validation_data=Batches(x, y, 32), epochs=2, verbose=0)
print(tuner.get_best_models()[0].evaluate(Batches(x, y, 32), verbose=0))
