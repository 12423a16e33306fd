"""`kt.Tuner` from an oracle, the oracle's view, and `SklearnTuner`."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import GroupKFold

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from kerashpo.store.blobs import FileBlobs, best_key
from kerashpo.study.doctor import examine
from tests.helpers.small_models import DATA, build, build_few, outcomes, place

X, Y = load_iris(return_X_y=True)
SCORE = kt.Objective("score", "max")


def where(folder: Any, name: str = "study") -> dict[str, Any]:
    return {"directory": folder, "project_name": name}


@pytest.mark.parametrize("oracles", [kt.oracles, keras_tuner.oracles])
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("RandomSearch", {"max_trials": 3}),
        ("GridSearch", {"max_trials": 2}),
        ("BayesianOptimization", {"max_trials": 3, "num_initial_points": 2}),
        ("Hyperband", {"max_epochs": 2, "factor": 2}),
    ],
)
def test_a_tuner_from_an_oracle_searches_as_the_tuner_of_its_name(
    oracles, name, settings, tmp_path
):
    oracle = getattr(oracles, f"{name}Oracle")(objective="val_loss", seed=4, **settings)
    tuner = kt.Tuner(oracle=oracle, hypermodel=build_few, **where(tmp_path))
    named = getattr(kt, name)(build_few, "val_loss", seed=4, **settings, **where(tmp_path, "named"))
    for one in (tuner, named):
        one.search(**DATA)
    assert outcomes(tuner.results) == outcomes(named.results)
    again = kt.Tuner(oracle=oracle, hypermodel=build_few, **where(tmp_path))
    assert outcomes(again.results) == outcomes(tuner.results)


def test_an_asha_oracle_bounds_its_configurations(tmp_path):
    oracle = kt.oracles.ASHAOracle("val_loss", max_trials=3, max_epochs=2, factor=2, seed=0)
    tuner = kt.Tuner(oracle, build_few, **where(tmp_path))
    tuner.search(**DATA)
    assert len(tuner.results) == 3


def test_an_oracle_without_a_seed_continues_with_its_study(tmp_path):
    for trials in (1, 2):
        oracle = kt.oracles.RandomSearchOracle("val_loss", max_trials=trials)
        tuner = kt.Tuner(oracle, build_few, **where(tmp_path))
        tuner.search(**DATA)
    assert len(tuner.results) == 2


@pytest.mark.parametrize(
    ("oracle", "message"),
    [
        (None, "oracle must be one of.*HyperbandOracle.*Received: None"),
        (keras_tuner.Oracle("val_loss"), "An oracle of your own.*keras_tuner.Tuner"),
    ],
)
def test_other_oracles_are_refused(oracle, message, tmp_path):
    with pytest.raises(InvalidInput, match=message):
        kt.Tuner(oracle, build_few, **where(tmp_path))


def test_what_the_oracle_says_is_said_there(tmp_path):
    oracle = kt.oracles.RandomSearchOracle("val_loss")
    with pytest.raises(InvalidInput, match="max_trials is the oracle's argument"):
        kt.Tuner(oracle, build_few, max_trials=3, **where(tmp_path))
    with pytest.raises(InvalidInput, match="no argument 'projectname'.*Did you mean"):
        kt.Tuner(oracle, build_few, projectname="x")


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("searched")
    tuner = kt.RandomSearch(
        build_few, max_trials=4, executions_per_trial=2, **place(folder, objective="val_accuracy")
    )
    tuner.search(**DATA, epochs=2)
    return tuner


def test_the_view_reports_trials_as_kerastuner_does(searched):
    oracle, results = searched.oracle, searched.results
    assert [*oracle.trials] == oracle.start_order == oracle.end_order == ["0", "1", "2", "3"]
    best = oracle.get_best_trials(2)
    assert isinstance(best[0], keras_tuner.engine.trial.Trial)
    assert int(best[0].trial_id) == results.best.trial
    assert best[0].score == results.best.score >= best[1].score
    assert best[0].status == "COMPLETED"
    assert best[0].hyperparameters.values == results.best.config
    (observation,) = best[0].metrics.get_history("val_accuracy")
    assert (observation.step, observation.mean()) == (best[0].best_step, best[0].score)
    assert oracle.get_trial("0").trial_id == "0"
    assert (oracle.remaining_trials(), searched.remaining_trials) == (0, 0)
    assert oracle.objective.name == "val_accuracy" and oracle.max_trials == 4


def test_the_view_reports_the_arguments(searched, tmp_path):
    oracle = searched.oracle
    assert (oracle.seed, oracle.ongoing_trials) == (0, {})
    assert (oracle.max_retries_per_trial, oracle.max_consecutive_failed_trials) == (0, 3)
    assert (oracle.tune_new_entries, oracle.allow_new_entries) == (True, True)
    seen = []

    class Looking(kt.RandomSearch):
        def on_trial_begin(self, trial: Any) -> None:
            seen.append([one.trial_id for one in self.oracle.ongoing_trials.values()])

    tuner = Looking(build_few, "val_loss", 2, 7, **where(tmp_path))
    assert tuner.oracle.seed == 7
    tuner.search(**DATA)
    assert seen == [["0"], ["1"]]


def test_a_tuner_has_kerastuners_attributes(searched, tmp_path):
    assert (searched.project_name, searched.executions_per_trial) == ("study", 2)
    assert searched.project_dir == f"{searched.directory}/study"
    given = {"optimizer": "sgd", "loss": "mse", "metrics": ["mae"], "max_model_size": 10**6}
    tuner = kt.Hyperband(build_few, "val_mae", 2, 2, 1, 5, **given, **where(tmp_path))
    assert {name: getattr(tuner, name) for name in given} == given
    assert (tuner.distribution_strategy, tuner.oracle.seed) == (None, 5)
    folder = Path(tuner.get_trial_dir("3"))
    assert folder.is_dir() and folder.parent == tmp_path / "study"


@pytest.mark.parametrize("endless", [None, float("inf")])
def test_hyperband_without_end_needs_a_bound(endless, tmp_path):
    settings = {"hyperband_iterations": endless, "max_epochs": 2, "factor": 2}
    tuner = kt.Hyperband(build_few, "val_loss", **settings, **where(tmp_path))
    tuner.search(**DATA)
    assert len(tuner.results) == 6  # the whole space
    with pytest.raises(InvalidInput, match="hyperband_iterations=None.*max_trials"):
        kt.Hyperband(build, "val_loss", **settings, **where(tmp_path, "endless"))


def test_an_oracle_of_ones_own_has_its_parent_and_its_lock():
    class Mine(kt.Oracle):
        @kt.synchronized
        def populate_space(self, trial_id: str) -> Any:
            return {"status": "STOPPED"}

    assert isinstance(Mine("val_loss"), keras_tuner.Oracle)
    with pytest.raises(InvalidInput, match="An oracle of your own.*keras_tuner.Tuner"):
        kt.Tuner(Mine("val_loss"), build_few)


def test_the_view_of_the_space(searched):
    hp = searched.oracle.get_space()
    assert isinstance(hp, keras_tuner.HyperParameters)
    assert {*hp.values} == {one.name for one in hp.space} == {"units", "rate"}
    assert searched.oracle.hyperparameters.values == hp.values


def test_trials_that_do_not_exist(searched):
    with pytest.raises(InvalidInput, match="no trial '9' among 4"):
        searched.oracle.get_trial("9")


def test_a_model_by_trial_id_or_number(searched):
    best = searched.oracle.get_best_trials()[0]
    weights = [searched.load_model(given).get_weights() for given in (best, best.trial_id)]
    assert all((a == b).all() for a, b in zip(*weights))


def test_the_view_before_a_search(tmp_path):
    tuner = kt.RandomSearch(build_few, max_trials=3, **place(tmp_path))
    assert (tuner.oracle.trials, tuner.oracle.get_best_trials()) == ({}, [])
    assert tuner.remaining_trials == 3


def ridge(hp: Any) -> Any:
    return RidgeClassifier(alpha=hp.Float("alpha", 1e-3, 1e3, sampling="log"))


def sklearn_tuner(folder: Any, build: Any = ridge, **settings: Any) -> Any:
    oracle = kt.oracles.RandomSearchOracle(SCORE, max_trials=2, seed=0)
    return kt.SklearnTuner(oracle, build, **settings, **where(folder))


@pytest.mark.parametrize("wrap", [np.asarray, pd.DataFrame, list])
def test_estimators_are_cross_validated(wrap, tmp_path):
    tuner = sklearn_tuner(tmp_path, cv=3)
    tuner.search(wrap(X), Y)
    (row, _) = tuner.results.trials().to_dict("records")
    trial = tuner.results.history.trials[row["trial"]]
    folds = [run[1].metrics["score"] for run in trial.reports.values()]
    assert len(folds) == 3 and row["score"] == pytest.approx(np.mean(folds))
    (model,) = tuner.get_best_models()
    best = tuner.results.history.best
    assert model.alpha == best.config["alpha"] and model.score(X, Y) > 0.6


def test_the_best_estimator_is_fitted_on_all_data(tmp_path):
    tuner = sklearn_tuner(tmp_path, cv=3)
    tuner.search(X, Y)
    alpha = tuner.results.best.config["alpha"]
    assert tuner.results.best_model().alpha == alpha
    whole = tuner.results.refit_best(X, Y, sample_weight=np.ones(len(Y)))
    expected = RidgeClassifier(alpha=alpha).fit(X, Y)
    np.testing.assert_allclose(whole.coef_, expected.coef_)
    with pytest.raises(InvalidInput, match="have no epochs.*epochs=3"):
        tuner.results.refit_best(X, Y, epochs=3)


def test_scoring_metrics_weights_and_groups(tmp_path):
    seen = []

    class Weighed(Ridge):
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            seen.append(sample_weight)
            return super().fit(X, y, sample_weight)

    tuner = sklearn_tuner(
        tmp_path,
        lambda hp: Weighed(alpha=hp.Float("alpha", 1e-3, 1.0)),
        scoring="neg_mean_absolute_error",
        metrics=mean_absolute_error,
        cv=GroupKFold(2),
    )
    groups, weight = np.repeat([0, 1, 2], 50), np.linspace(1, 2, 150)
    tuner.search(pd.DataFrame(X), pd.Series(Y), sample_weight=weight, groups=groups, verbose=0)
    metrics = tuner.results.best.metrics
    assert metrics["score"] == pytest.approx(-metrics["mean_absolute_error"])
    assert sorted(len(part) for part in seen[:2]) == [50, 100]


def test_the_default_score_and_folds_are_kerastuners(tmp_path):
    tuner = sklearn_tuner(tmp_path)
    tuner.search(X, Y)
    assert {len(t.reports) for t in tuner.results.history.trials.values()} == {5}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"metrics": ["f1"]}, "metrics must be functions.*'f1'"),
        ({"build": None}, "hypermodel is missing"),
        ({"scoring": "f2"}, "f2"),
    ],
)
def test_what_a_sklearn_tuner_cannot_take(settings, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        sklearn_tuner(tmp_path, **settings)


def test_another_objective_than_the_score(tmp_path):
    oracle = kt.oracles.RandomSearchOracle("val_loss")
    with pytest.raises(InvalidInput, match="reports 'score'.*Received: val_loss"):
        kt.SklearnTuner(oracle, ridge, **where(tmp_path))


def test_estimators_vote(tmp_path):
    tuner = sklearn_tuner(tmp_path, lambda hp: RandomForestClassifier(hp.Int("trees", 2, 9)))
    tuner.search(X, Y)
    mean = np.mean([one.predict_proba(X) for one in tuner.get_best_models(2)], axis=0)
    vote = tuner.results.ensemble()
    np.testing.assert_allclose(vote.predict_proba(X), mean)
    assert (vote.predict(X) == mean.argmax(axis=1)).all()
    hard = sklearn_tuner(tmp_path / "hard")
    hard.search(X, Y)
    with pytest.raises(InvalidInput, match="RidgeClassifier does not predict"):
        hard.results.ensemble()


def test_an_estimator_that_was_not_kept(tmp_path):
    tuner = sklearn_tuner(tmp_path, keep="none")
    tuner.search(X, Y)
    with pytest.raises(InvalidInput, match="were not kept"):
        tuner.get_best_models()


def noisy(hp: Any) -> Any:
    """Its fit draws from numpy's global generator."""
    return RandomForestClassifier(hp.Int("trees", 2, 9), max_features=1)


def test_estimators_are_fitted_again_after_a_restart_and_never_read_from_disk(tmp_path):
    first = sklearn_tuner(tmp_path, noisy, cv=3)
    first.search(X, Y, verbose=0)
    (model,) = first.get_best_models()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.name.startswith("study.jsonl") for path in files)
    second = sklearn_tuner(tmp_path, noisy, cv=3)
    with pytest.raises(InvalidInput, match="another process.*Call search with the same data"):
        second.get_best_models()
    second.search(X, Y, verbose=0)
    (again,) = second.get_best_models()
    assert again is not model and len(second.results.history.sessions) == 2
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))


def test_a_planted_estimator_is_not_executed(tmp_path):
    tuner = sklearn_tuner(tmp_path)
    tuner.search(X, Y, verbose=0)
    blobs = FileBlobs(tmp_path / "study" / "checkpoints")
    best = tuner.results.history.best

    class Evil:
        def __reduce__(self) -> Any:
            return (exec, ("raise SystemExit('executed')",))

    blobs.put(best_key(best.number, best.best_run), pickle.dumps(Evil()))
    assert not examine(tmp_path / "study").well
    again = sklearn_tuner(tmp_path)
    again.search(X, Y, verbose=0)
    assert again.get_best_models()[0].alpha == best.config["alpha"]


def test_ready_made_hypermodels_are_reachable():
    assert kt.applications.HyperXception is keras_tuner.applications.HyperXception
