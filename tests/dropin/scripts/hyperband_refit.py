"""Hyperband, then the winner trained again for its best number of epochs."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


def model_builder(hp):
    model = keras.Sequential()
    model.add(keras.layers.Flatten())
    hp_units = hp.Int("units", min_value=4, max_value=16, step=4)
    model.add(keras.layers.Dense(units=hp_units, activation="relu"))
    model.add(keras.layers.Dense(2))
    hp_learning_rate = hp.Choice("learning_rate", values=[1e-2, 1e-3, 1e-4])
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=hp_learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


tuner = kt.Hyperband(
    model_builder,
    objective="val_accuracy",
    max_epochs=3,
    factor=3,
    directory="my_dir",
    project_name="intro_to_kt",
)
stop_early = keras.callbacks.EarlyStopping(monitor="val_loss", patience=5)
images = x[:, :, None]
tuner.search(images, y, epochs=3, validation_split=0.2, callbacks=[stop_early], verbose=0)
best_hps = tuner.get_best_hyperparameters(num_trials=1)[0]
print(best_hps.get("units"), best_hps.get("learning_rate"), best_hps.get("tuner/epochs"))
model = tuner.hypermodel.build(best_hps)
history = model.fit(images, y, epochs=2, validation_split=0.2, verbose=0)
val_acc_per_epoch = history.history["val_accuracy"]
best_epoch = val_acc_per_epoch.index(max(val_acc_per_epoch)) + 1
hypermodel = tuner.hypermodel.build(best_hps)
hypermodel.fit(images, y, epochs=best_epoch, validation_split=0.2, verbose=0)
print(hypermodel.evaluate(images, y, verbose=0))
