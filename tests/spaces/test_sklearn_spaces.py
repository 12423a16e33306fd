"""Ready spaces for scikit-learn: every configuration builds an estimator that fits."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import is_classifier, is_regressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, InvalidSpace
from kerashpo.spaces import sklearn as ready
from kerashpo.spaces.preprocessing import SCALERS, preprocessor
from kerashpo.spaces.sklearn_families import FAMILIES

QUICK = {"model/n_estimators": 50, "model/max_iter": 25}


def quickly(config):
    return {k: min(v, QUICK[k]) if k in QUICK else v for k, v in config.items()}


def fitted(models, config, x, y):
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        return models.build(quickly(config)).fit(x, y)


@pytest.fixture(scope="module")
def flowers():
    x, y = load_iris(return_X_y=True)
    return x[::2], y[::2]


@pytest.fixture(scope="module")
def patients():
    x, y = load_diabetes(return_X_y=True)
    return x[:80], 1e3 * y[:80]


@pytest.mark.parametrize("family", FAMILIES)
def test_any_configuration_of_a_family_fits(family, flowers, patients):
    for kind, (x, y) in {"classifier": flowers, "regressor": patients}.items():
        models = getattr(ready, family)(kind)
        rng = np.random.default_rng(0)
        for config in [models.space.complete({}), *(models.space.sample(rng) for _ in range(3))]:
            model = fitted(models, config, x, y)
            assert np.isfinite(model.score(x, y))
            assert (is_classifier if kind == "classifier" else is_regressor)(model)


def test_defaults_are_sensible(flowers, patients):
    for family in FAMILIES:
        assert fitted(ready.classifier(family), {}, *flowers).score(*flowers) > 0.85, family
        assert fitted(ready.regressor(family), {}, *patients).score(*patients) > 0.3, family


def test_the_families_chosen_are_the_choices():
    every = ready.classifier().space
    assert set(every.complete({})) >= {"model"}
    models = ready.classifier(["svm", "forest"])
    found = {models.space.sample(np.random.default_rng(i))["model"] for i in range(20)}
    assert found == {"svm", "forest"}
    for wrong in (["svm", "knn"], []):
        with pytest.raises(InvalidInput, match="linear, svm, tree"):
            ready.classifier(wrong)
    with pytest.raises(InvalidInput, match="regressor"):
        ready.svm("regression")
    with pytest.raises(InvalidSpace):
        models.build({"model": "svm", "model/C": -1.0})


def test_a_table_with_gaps_and_categories(flowers):
    x, y = flowers
    table = pd.DataFrame(x, columns=list("abcd"))
    table["kind"] = np.where(y > 1, "large", "small")
    table.loc[::7, "a"] = np.nan
    table.loc[::9, "kind"] = None
    for given in (table, table.to_numpy(dtype=object)):
        for scaler in (None, *SCALERS):
            wide = preprocessor(scaler, 0).fit(given).transform(given)
            # Four numbers, one indicator of gaps, and large, small and missing.
            assert wide.shape == (len(x), 8)
            assert np.isfinite(np.asarray(wide, dtype=float)).all()
        assert fitted(ready.tree(), {}, given, y).score(given, y) > 0.9
    plain = ready.linear(preprocess=False)
    assert "model/scaler" not in plain.space.complete({})
    assert type(plain.build({})).__name__ == "LogisticRegression"


def test_optimize_finds_a_model(flowers):
    models = ready.classifier(["linear", "neighbours"])
    objective = models.objective(*flowers, cv=3)
    assert pickle.loads(pickle.dumps(objective))(models.space.complete({})) > 0.8
    found = kt.optimize(objective, models.space, direction="max", max_trials=5, seed=0, verbose=0)
    assert found.failures().empty
    assert found.best.score > 0.85


def test_a_sklearn_tuner_searches_them(flowers, tmp_path):
    models = ready.classifier(["svm", "tree", "neighbours"])
    oracle = kt.oracles.SearchOracle(kt.Objective("score", "max"), 5, algorithm="tpe", seed=0)
    tuner = kt.SklearnTuner(oracle, models, cv=3, directory=tmp_path)
    assert {p.name for p in tuner.space.params} == {p.name for p in models.space.params}
    tuner.search(*flowers, verbose=0)
    assert len(tuner.results.trials()) == 5
    assert tuner.get_best_models()[0].score(*flowers) > 0.85
