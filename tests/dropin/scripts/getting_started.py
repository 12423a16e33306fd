"""The first page of the guide: a function, a search, the best model."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x_train, x_val = rng.normal(size=(96, 6)), rng.normal(size=(48, 6))
y_train, y_val = (x_train[:, 0] > 0).astype(int), (x_val[:, 0] > 0).astype(int)


def build_model(hp):
    model = keras.Sequential()
    model.add(keras.Input((6,)))
    model.add(
        keras.layers.Dense(
            units=hp.Int("units", min_value=4, max_value=16, step=4),
            activation=hp.Choice("activation", ["relu", "tanh"]),
        )
    )
    if hp.Boolean("dropout"):
        model.add(keras.layers.Dropout(rate=0.25))
    model.add(keras.layers.Dense(2, activation="softmax"))
    learning_rate = hp.Float("lr", min_value=1e-4, max_value=1e-2, sampling="log")
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


build_model(kt.HyperParameters())

tuner = kt.RandomSearch(
    hypermodel=build_model,
    objective="val_accuracy",
    max_trials=3,
    executions_per_trial=2,
    overwrite=True,
    directory="my_dir",
    project_name="helloworld",
)
tuner.search_space_summary()
tuner.search(x_train, y_train, epochs=2, validation_data=(x_val, y_val), verbose=0)

models = tuner.get_best_models(num_models=2)
best_model = models[0]
best_model.summary()
tuner.results_summary()

best_hps = tuner.get_best_hyperparameters(5)
model = build_model(best_hps[0])
model.fit(x=np.concatenate((x_train, x_val)), y=np.concatenate((y_train, y_val)), verbose=0)

best_trial = tuner.oracle.get_best_trials(1)[0]
print(best_trial.trial_id, best_trial.score, best_trial.hyperparameters.values)
print(best_trial.metrics.get_best_value("val_accuracy"))
tuner.reload()
