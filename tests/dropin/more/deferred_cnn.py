"""A convolutional network without an input layer."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
images = rng.random((48, 12, 12, 1))
labels = keras.utils.to_categorical(rng.integers(0, 3, 48), 3)


def build_model(hp):
    model = keras.Sequential()
    for i in range(hp.Int("conv_blocks", 1, 2, default=1)):
        filters = hp.Int("filters_" + str(i), 2, 4, step=2)
        model.add(keras.layers.Conv2D(filters, (3, 3), padding="same", activation="relu"))
        if hp.Choice("pooling_" + str(i), ["avg", "max"]) == "max":
            model.add(keras.layers.MaxPool2D())
        else:
            model.add(keras.layers.AvgPool2D(2))
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dropout(hp.Float("dropout", 0, 0.5, step=0.1, default=0.5)))
    model.add(keras.layers.Dense(3, activation="softmax"))
    model.compile(
        optimizer=keras.optimizers.Adam(hp.Float("learning_rate", 1e-4, 1e-2, sampling="log")),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


tuner = kt.RandomSearch(
    build_model, objective="val_accuracy", max_trials=3, directory="cnn", project_name="deferred"
)
tuner.search_space_summary()
tuner.search(images, labels, epochs=1, batch_size=16, validation_data=(images, labels), verbose=0)
best_model = tuner.get_best_models(1)[0]
print(best_model.evaluate(images, labels, verbose=0))
tuner.results_summary(2)
