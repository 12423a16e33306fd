"""`SearchCV`: a search as an estimator of scikit-learn."""

from __future__ import annotations

import logging
import pickle

import keras
import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, NoResult

FEW = {"tuner": "random", "max_trials": 2, "max_epochs": 2, "random_state": 0}


def build(hp, meta):
    classes = meta["n_classes_"]
    model = keras.Sequential([keras.Input((meta["n_features_in_"],))])
    model.add(keras.layers.Dense(hp.Choice("units", [4, 8]), activation="relu"))
    if classes is None:
        model.add(keras.layers.Dense(meta["n_outputs_"]))
        model.compile(keras.optimizers.Adam(0.05), "mse")
    elif classes == 2:
        model.add(keras.layers.Dense(1))
        model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    else:
        model.add(keras.layers.Dense(classes, activation="softmax"))
        model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    return model


@pytest.fixture(scope="module")
def iris():
    data = load_iris()
    return data.data.astype("float32"), data.target_names[data.target]


@pytest.fixture(scope="module")
def fitted(iris):
    return kt.SearchCV(build, estimator="best", **FEW).fit(*iris)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.linspace(0.1, 0.9, 20), "Unknown label type: continuous.*pass task='regression'"),
        (np.eye(2)[[0, 1] * 10], r"shape \(20, 2\).*np.argmax"),
    ],
)
def test_targets_that_are_no_labels_name_the_way_out(y, message):
    with pytest.raises(InvalidInput, match=message):
        kt.SearchCV(lambda hp: None).fit(np.ones((20, 3)), y)


def bits(hp, meta):
    assert (meta["n_classes_"], meta["n_outputs_"]) == (2, 3)
    model = keras.Sequential([keras.Input((meta["n_features_in_"],))])
    model.add(keras.layers.Dense(hp.Choice("units", [4, 8]), activation="relu"))
    model.add(keras.layers.Dense(meta["n_outputs_"]))
    model.compile(keras.optimizers.Adam(0.05), keras.losses.BinaryCrossentropy(from_logits=True))
    return model


def test_rows_with_several_labels(iris):
    x = iris[0]
    y = (x[:, 1:] > x[:, 1:].mean(axis=0)).astype(int)
    search = kt.SearchCV(bits, estimator="ensemble", **{**FEW, "max_epochs": 9}).fit(x, y)
    proba, predicted = search.predict_proba(x), search.predict(x)
    assert proba.shape == predicted.shape == (150, 3)
    logits = search.best_estimator_.predict(x, verbose=0)
    np.testing.assert_allclose(proba, 1 / (1 + np.exp(-logits)), 1e-5)
    assert np.array_equal(predicted, proba > 0.5) and predicted.dtype == int
    assert not np.allclose(proba.sum(axis=1), 1, atol=1e-3)
    assert search.score(x, y) == np.mean((predicted == y).all(axis=1)) > 0.3
    assert list(search.classes_) == [0, 1, 2]
    assert cross_val_score(clone(search), x, y, cv=2, error_score="raise").shape == (2,)
    with pytest.raises(InvalidInput, match="class_weight is for one label per row"):
        clone(search).set_params(class_weight="balanced").fit(x, y)


@pytest.mark.parametrize(
    ("units", "loss", "message"),
    [
        (2, "binary_crossentropy", r"has 2 output units, but y has 3 column\(s\)"),
        (3, "categorical_crossentropy", "is for one label per row, but y has 3 columns"),
    ],
)
def test_a_model_that_does_not_fit_several_labels_is_refused(iris, units, loss, message):
    def unfit(hp):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units)])
        model.compile(keras.optimizers.SGD(hp.Choice("rate", [0.01, 0.1])), loss)
        return model

    y = (iris[0][:, 1:] > iris[0][:, 1:].mean(axis=0)).astype(int)
    with pytest.raises(InvalidInput, match=message):
        kt.SearchCV(unfit, **FEW).fit(iris[0], y)


@pytest.fixture
def searched(monkeypatch):
    """What `SearchCV` gives to `Tuner.search`."""
    calls: list[dict] = []
    search = kt.RandomSearch.search

    def record(self, x, y, **given):
        calls.append({"x": x, "y": y, **given})
        search(self, x, y, **given)

    monkeypatch.setattr(kt.RandomSearch, "search", record)
    return calls


def test_groups_are_never_divided(iris, searched):
    x, y = iris[0] + 1e-3 * np.arange(150, dtype="float32")[:, None], iris[1]  # no two alike
    patients = np.array([f"p{number // 5 % 10}" for number in range(150)])
    few = {**FEW, "max_trials": 12, "max_epochs": 1}
    kt.SearchCV(build, estimator="single", **few).fit(x, y, groups=patients)
    (given,) = searched
    group = {tuple(row): patients[number] for number, row in enumerate(x)}
    train = [group[tuple(row)] for row in given["x"]]
    assert {*train}.isdisjoint(group[tuple(row)] for row in given["validation_data"][0])
    assert len(given["final_round"]) == 4
    for left, right in given["final_round"]:
        assert {train[n] for n in left}.isdisjoint(train[n] for n in right)
    with pytest.raises(InvalidInput, match="at least three groups"):
        kt.SearchCV(build, estimator="bag", **few).fit(x, y, groups=patients > "p4")
    for odd, message in (([1] * 150, "one group"), ([None, 1] * 75, "of one type")):
        with pytest.raises(InvalidInput, match=message):
            kt.SearchCV(build, **few).fit(x, y, groups=odd)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        kt.SearchCV(build, **few).fit(x, y, groups=patients[1:])


def test_groups_reach_the_splitter_of_cv(iris):
    x, y = iris
    patients = np.arange(150) % 3
    search = kt.SearchCV(build, estimator="best", cv=GroupKFold(3), **{**FEW, "max_trials": 1})
    search.fit(x, y, groups=patients)
    assert search.n_splits_ == 3 and "split2_test_score" in search.cv_results_
    by_hand = [(np.flatnonzero(patients != g), np.flatnonzero(patients == g)) for g in (2, 1, 0)]
    same = clone(search).set_params(cv=by_hand).fit(x, y)
    assert same.best_score_ == pytest.approx(search.best_score_)


def test_class_weights_and_sample_weights_are_multiplied(iris, searched):
    x, y = iris[0] + 1e-3 * np.arange(150, dtype="float32")[:, None], iris[1]  # no two alike
    weights = np.linspace(1, 2, 150).astype("float32")
    search = kt.SearchCV(build, estimator="best", class_weight={"setosa": 3}, **FEW)
    search.fit(x, y, sample_weight=weights)
    (given,) = searched
    row = {tuple(one): number for number, one in enumerate(x)}
    expected = weights * np.where(y == "setosa", 3, 1)
    train = [row[tuple(one)] for one in given["x"]]
    held_out = [row[tuple(one)] for one in given["validation_data"][0]]
    np.testing.assert_allclose(given["sample_weight"], expected[train])
    np.testing.assert_allclose(given["validation_data"][2], weights[held_out])
    assert "class_weight" not in given


def test_probabilities_add_up_for_scikit_learns_metrics(fitted, iris):
    """A sum of 1.0000001 in float64 is a warning of `log_loss`, which is an error in our tests."""
    proba = fitted.predict_proba(iris[0])
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
    log_loss(iris[1], proba)


def test_labels_may_be_strings(fitted, iris):
    x, y = iris
    proba = fitted.predict_proba(x)
    assert proba.shape == (150, 3)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-6)
    assert list(fitted.classes_) == ["setosa", "versicolor", "virginica"]
    assert list(fitted.predict(x)) == list(fitted.classes_[proba.argmax(axis=1)])
    assert fitted.score(x, y) == np.mean(fitted.predict(x) == y)


def test_results_have_scikit_learns_names(fitted):
    assert fitted.best_params_["units"] in (4, 8)
    best = fitted.cv_results_["rank_test_score"].argmin()
    assert fitted.cv_results_["params"][best] == fitted.best_params_ and best == fitted.best_index_
    assert fitted.best_score_ == fitted.cv_results_["mean_test_score"].min()
    assert set(fitted.curves_["metric"]) >= {"loss", "val_loss"}
    assert is_classifier(fitted) and not is_regressor(fitted)


def test_the_validation_part_is_stratified_and_repeats_with_its_seed(fitted, iris):
    again = clone(fitted).fit(*iris)
    assert again.best_score_ == fitted.best_score_
    np.testing.assert_array_equal(again.predict_proba(iris[0]), fitted.predict_proba(iris[0]))
    other = clone(fitted).set_params(random_state=1, max_trials=1).fit(*iris)
    assert other.best_score_ != fitted.best_score_


def test_a_fitted_search_is_pickled(fitted, iris):
    loaded = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_allclose(loaded.predict_proba(iris[0]), fitted.predict_proba(iris[0]), 1e-5)


def test_nested_cross_validation_in_a_pipeline(iris):
    search = kt.SearchCV(build, estimator="ensemble", **{**FEW, "max_trials": 1})
    scores = cross_val_score(make_pipeline(StandardScaler(), search), *iris, cv=2)
    assert scores.shape == (2,) and (scores > 0.2).all()


def test_the_bag_averages_the_final_rounds_models(iris):
    x, y = iris
    few = {**FEW, "max_trials": 12, "max_epochs": 1}
    bag = kt.SearchCV(build, estimator="bag", **few).fit(x, y)
    members = [one for one in bag.best_estimator_.layers if isinstance(one, keras.Model)]
    assert len(members) == 5


def test_two_classes_with_logits_and_balanced_weights(iris):
    x, y = iris
    x, y = x[:70], y[:70]  # 50 and 20
    weighted = kt.SearchCV(build, estimator="best", class_weight="balanced", **FEW).fit(x, y)
    logits = weighted.best_estimator_.predict(x, verbose=0)[:, 0]
    np.testing.assert_allclose(weighted.predict_proba(x)[:, 1], 1 / (1 + np.exp(-logits)), 1e-5)
    by_hand = {"setosa": 70 / 100, "versicolor": 70 / 40}
    same = clone(weighted).set_params(class_weight=by_hand).fit(x, y)
    np.testing.assert_array_equal(same.predict_proba(x), weighted.predict_proba(x))


def test_regression_of_several_columns_with_folds():
    x, y = load_diabetes(return_X_y=True, scaled=True)
    both = np.stack([y, -y], axis=1)[:80] / 100
    search = kt.SearchCV(
        build, task="regression", estimator="best", cv=KFold(2), **{**FEW, "max_trials": 1}
    )
    search.fit(x[:80], both)
    assert search.predict(x[:80]).shape == (80, 2)
    assert {"split0_test_score", "split1_test_score"} <= set(search.cv_results_)
    assert is_regressor(search) and not hasattr(search, "predict_proba")


def test_a_stored_search_continues_and_other_data_is_another_search(iris, tmp_path):
    x, y = iris
    search = kt.SearchCV(
        build, estimator="best", directory=tmp_path, **{**FEW, "max_trials": 1}
    ).fit(x, y)
    curves = search.curves_
    assert clone(search).fit(x, y).curves_.equals(curves)  # its seconds too: nothing was trained
    clone(search).fit(x[::-1].copy(), y[::-1].copy())
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("stored", [False, True])
def test_the_display_names_nothing_that_is_gone(iris, tmp_path, capsys, stored):
    folder = tmp_path / "runs" if stored else None
    search = kt.SearchCV(build, estimator="best", verbose=2, directory=folder, **FEW)
    search.fit(*iris)
    out = capsys.readouterr().out
    assert "best val_loss" in out and "tuner.report()" not in out
    assert ("kerashpo report" in out) == ("kerashpo.open_study(" in out) == stored


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tuner": "hyperbend"}, "Unknown tuner 'hyperbend'. Did you mean 'hyperband'?"),
        ({"tuner": 3}, "or a subclass of kerashpo.Tuner. Received: 3"),
        ({"estimator": "bags"}, "Unknown estimator 'bags'. Did you mean 'bag'?"),
        ({"task": "cluster"}, "Unknown task 'cluster'"),
        ({"cv": GroupKFold(2)}, "so cv must be None"),
        ({"validation_size": 20}, "a share of the rows between 0 and 1. Received: 20"),
        ({"tuner_options": {"seed": 3}}, "give it to SearchCV \\(random_state=...\\)"),
        ({"build_model": 3}, "build_model must be a function of hp. Received: 3"),
        ({"class_weight": "balanced", "task": "regression"}, "a regression has no classes"),
        ({"class_weight": "balancd"}, "must be None, 'balanced', or a dict .*Received: 'balancd'"),
        ({"class_weight": {"setose": 2}}, "has 'setose', which is no label of y. .* 'setosa', "),
    ],
)
def test_invalid_values_are_refused(iris, given, message):
    x, y = iris
    if given.get("task") == "regression":
        y = x[:, 0]
    search = kt.SearchCV(**{"build_model": build, **FEW, "max_trials": 1, **given})
    with pytest.raises(InvalidInput, match=message):
        search.fit(x, y)


def four_units(hp):
    model = keras.Sequential([keras.layers.Dense(4, activation="softmax")])
    model.compile(
        keras.optimizers.SGD(hp.Choice("rate", [0.01, 0.1])), "sparse_categorical_crossentropy"
    )
    return model


def test_outputs_of_a_model_without_input_are_checked_when_they_are_known(iris):
    search = kt.SearchCV(four_units, estimator="best", **{**FEW, "max_trials": 1}).fit(*iris)
    with pytest.raises(InvalidInput, match=r"4 output units for 3 classes.*meta\['n_classes_'\]"):
        search.predict(iris[0])


@pytest.mark.parametrize(
    ("units", "loss", "task", "message"),
    [
        (1, "binary_crossentropy", "classification", "(?s)1 output unit for 3 .*task=.regression"),
        (3, "categorical_crossentropy", "classification", "expects one-hot labels.*'sparse_categ"),
        (3, keras.losses.BinaryCrossentropy(), "classification", "is for one sigmoid unit.*has 3"),
        (2, "mse", "regression", r"has 2 output units, but y has 1 column\(s\)"),
    ],
)
def test_a_model_that_does_not_fit_y_is_refused_before_it_is_trained(
    iris, units, loss, task, message
):
    def unfit(hp):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units)])
        model.compile(keras.optimizers.SGD(hp.Choice("rate", [0.01, 0.1])), loss)
        return model

    x, y = iris
    search = kt.SearchCV(unfit, task=task, **FEW)
    with pytest.raises(InvalidInput, match=message):
        search.fit(x, y if task == "classification" else x[:, 0])


def test_several_models_predict_without_notices_of_tensorflow(iris, caplog):
    logging.getLogger("tensorflow").addHandler(caplog.handler)
    try:
        for seed in range(7):
            quick = {**FEW, "max_trials": 1, "max_epochs": 1, "random_state": seed}
            kt.SearchCV(build, estimator="best", **quick).fit(*iris).predict(iris[0])
    finally:
        logging.getLogger("tensorflow").removeHandler(caplog.handler)
    assert "retracing" not in caplog.text


class Broken(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise RuntimeError("no disk today")


def test_when_every_trial_fails_the_first_reason_is_given(iris):
    broken = {**FEW, "max_trials": 1, "fit_options": {"callbacks": [Broken()]}}
    search = kt.SearchCV(build, estimator="best", **broken)
    with pytest.raises(NoResult, match="All 1 trials failed.*no disk today"):
        search.fit(*iris)
