"""Estimators of scikit-learn, cross-validated."""

import pandas as pd
from sklearn import datasets, ensemble, linear_model, metrics, model_selection

import kerashpo as kt  # was: import keras_tuner as kt


def build_model(hp):
    model_type = hp.Choice("model_type", ["random_forest", "ridge"])
    if model_type == "random_forest":
        return ensemble.RandomForestClassifier(
            n_estimators=hp.Int("n_estimators", 5, 15, step=5),
            max_depth=hp.Int("max_depth", 3, 10),
            random_state=0,
        )
    return linear_model.RidgeClassifier(alpha=hp.Float("alpha", 1e-3, 1, sampling="log"))


tuner = kt.SklearnTuner(
    oracle=kt.oracles.BayesianOptimizationOracle(
        objective=kt.Objective("score", "max"), max_trials=4, seed=3
    ),
    hypermodel=build_model,
    scoring=metrics.make_scorer(metrics.accuracy_score),
    metrics=[metrics.accuracy_score],
    cv=model_selection.StratifiedKFold(3),
    directory=".",
    project_name="my_project",
)
X, y = datasets.load_iris(return_X_y=True)
X_train, X_test, y_train, y_test = model_selection.train_test_split(
    X, y, test_size=0.2, random_state=0
)
tuner.search(X_train, y_train)
best_model = tuner.get_best_models(num_models=1)[0]
print(best_model.score(X_test, y_test))

frames = kt.SklearnTuner(
    oracle=kt.oracles.RandomSearchOracle(objective=kt.Objective("score", "max"), max_trials=2),
    hypermodel=build_model,
    directory=".",
    project_name="frames",
)
frames.search(pd.DataFrame(X_train), pd.DataFrame(y_train).to_numpy().ravel())
print(frames.oracle.get_best_trials()[0].score)
