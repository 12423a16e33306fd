"""run_trial overridden: arguments of fit that are tuned, and a black box without a model."""

import keras
import numpy as np

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(96, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


def build_model(hp):
    model = keras.Sequential([keras.Input((4,))])
    model.add(keras.layers.Dense(hp.Int("units", 4, 12, step=4), "relu"))
    model.add(keras.layers.Dense(1, "sigmoid"))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


class MyTuner(kt.BayesianOptimization):
    def run_trial(self, trial, *args, **kwargs):
        kwargs["batch_size"] = trial.hyperparameters.Int("batch_size", 16, 32, step=16)
        kwargs["epochs"] = trial.hyperparameters.Int("epochs", 1, 3)
        return super().run_trial(trial, *args, **kwargs)


tuner = MyTuner(
    build_model, objective="val_accuracy", max_trials=3, directory="loop", project_name="fit"
)
tuner.search(x, y, validation_split=0.25, verbose=0)
print(tuner.get_best_hyperparameters()[0].values)


class BlackBox(kt.RandomSearch):
    def run_trial(self, trial, *args, **kwargs):
        hp = trial.hyperparameters
        number = hp.Float("x", min_value=-1.0, max_value=1.0)
        return number * number + 1


black_box = BlackBox(max_trials=5, overwrite=True, directory="loop", project_name="black_box")
black_box.search()
print(black_box.get_best_hyperparameters()[0].get("x"))


class KerasTuner(kt.RandomSearch):
    def run_trial(self, trial, x, y, x_val, y_val):
        hp = trial.hyperparameters
        model = self.hypermodel.build(hp)
        model.fit(x, y, batch_size=hp.Choice("batch_size", [16, 32]), epochs=1, verbose=0)
        loss, accuracy = model.evaluate(x_val, y_val, verbose=0)
        self.save_model(trial.trial_id, model)
        return {"loss": loss, "accuracy": accuracy}

    def save_model(self, trial_id, model, step=0):
        model.save(f"{self.project_dir}/{trial_id}.keras")

    def load_model(self, trial):
        return keras.models.load_model(f"{self.project_dir}/{trial.trial_id}.keras")


own = KerasTuner(
    build_model,
    objective=kt.Objective("accuracy", "max"),
    max_trials=2,
    directory="loop",
    project_name="own",
)
own.search(x[:64], y[:64], x[64:], y[64:])
print(own.get_best_models()[0].evaluate(x[64:], y[64:], verbose=0, return_dict=True))
