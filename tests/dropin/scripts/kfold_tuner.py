"""Cross-validation by run_trial, with scikit-learn's folds and update_trial."""

import keras
import numpy as np
from sklearn import model_selection

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


class CVTuner(kt.engine.tuner.Tuner):
    def run_trial(self, trial, x, y, *fit_args, **fit_kwargs):
        cv = model_selection.KFold(2)
        val_losses = []
        for train_indices, test_indices in cv.split(x):
            x_train, x_test = x[train_indices], x[test_indices]
            y_train, y_test = y[train_indices], y[test_indices]
            model = self.hypermodel.build(trial.hyperparameters)
            epochs = trial.hyperparameters.Int("epochs", 1, 2)
            model.fit(x_train, y_train, epochs=epochs, verbose=0)
            val_losses.append(model.evaluate(x_test, y_test, verbose=0))
        self.oracle.update_trial(trial.trial_id, {"val_loss": np.mean(val_losses)})
        self.save_model(trial.trial_id, model)


def build_model(hp):
    model = keras.Sequential([keras.Input((4,))])
    model.add(keras.layers.Dense(hp.Int("units", 4, 12, step=4), activation="relu"))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    model.compile("adam", "binary_crossentropy")
    return model


tuner = CVTuner(
    hypermodel=build_model,
    oracle=kt.oracles.BayesianOptimizationOracle(
        objective=kt.Objective("val_loss", "min"), max_trials=2
    ),
    directory="folds",
)
tuner.search(x, y)
print(tuner.get_best_hyperparameters()[0].values)
