"""A pipeline of scikit-learn, with groups and weights of samples."""

import numpy as np
from sklearn import decomposition, model_selection, pipeline, preprocessing, svm

import kerashpo as kt  # was: import keras_tuner as kt

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")


def build_model(hp):
    return pipeline.make_pipeline(
        preprocessing.StandardScaler(),
        decomposition.PCA(hp.Int("components", 2, 4)),
        svm.SVC(
            C=hp.Float("C", 0.01, 10.0, sampling="log"), kernel=hp.Choice("k", ["rbf", "linear"])
        ),
    )


tuner = kt.tuners.SklearnTuner(
    oracle=kt.oracles.RandomSearchOracle(objective=kt.Objective("score", "max"), max_trials=3),
    hypermodel=build_model,
    cv=model_selection.GroupKFold(4),
    directory="pipeline",
)
tuner.search(x, y, groups=np.arange(64) % 8)
print(tuner.get_best_models()[0].score(x, y), tuner.get_best_hyperparameters()[0].values)
