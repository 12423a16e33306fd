"""HyperModels inside of one another, each in a scope of its own name."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


class Block(kt.HyperModel):
    def __init__(self, name, tunable=True):
        super().__init__(name=name, tunable=tunable)

    def build(self, hp, inputs):
        with hp.name_scope(self.name):
            units = hp.Int("units", 2, 8, step=2)
            hidden = keras.layers.Dense(units, activation=hp.Choice("act", ["relu", "tanh"]))(
                inputs
            )
            if hp.Boolean("norm", default=False):
                hidden = keras.layers.BatchNormalization()(hidden)
        return hidden


class Network(kt.HyperModel):
    def __init__(self, classes):
        super().__init__()
        self.classes = classes

    def build(self, hp):
        inputs = keras.Input((4,))
        hidden = Block("bottom").build(hp, inputs)
        hidden = Block("top").build(hp, hidden)
        outputs = keras.layers.Dense(self.classes, activation="softmax")(hidden)
        model = keras.Model(inputs, outputs)
        optimizer = hp.Choice("optimizer", ["adam", "sgd"])
        hp.Fixed("classes", self.classes)
        with hp.conditional_scope("optimizer", ["sgd"]):
            if optimizer == "sgd":
                momentum = hp.Float("momentum", 0.0, 0.9, step=0.3)
                optimizer = keras.optimizers.SGD(1e-2, momentum=momentum)
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model


tuner = kt.Hyperband(
    Network(2), "val_accuracy", max_epochs=2, factor=2, directory="composed", overwrite=True
)
tuner.search(x, y, validation_data=(x, y), verbose=0)
print(tuner.get_best_hyperparameters()[0].get_config()["values"]["bottom/units"])
