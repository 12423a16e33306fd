"""Limits of tuners: models beyond one cost no epoch, epochs beyond one are not the best."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, NoResult, StudyMismatch, UnusableResult
from tests.helpers.small_models import DATA, build_few, make, place

# build_few: 4, 8 or 12 units are 25, 49 or 73 parameters, with one of two learning rates each.
SMALL = {"size": 49}


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("limits")
    tuner = kt.GridSearch(build_few, **place(folder, limits=SMALL))
    print(tuner.plan())
    tuner.search(**DATA, epochs=2)
    return tuner


def test_a_model_beyond_a_limit_costs_no_epoch_and_is_never_the_best(searched):
    results, trials = searched.results, searched.results.trials()
    assert [*trials[~trials["feasible"]]["param_units"]] == [12, 12]
    assert {*results.failures()["kind"]} == {"limit"}
    assert results.failures()["message"][0] == "size is 73, but at most 49 is allowed (limits)."
    assert results.epochs == 2 * 4
    assert results.best.config["units"] in (4, 8)
    assert all(model.count_params() <= 49 for model in searched.get_best_models(4))
    # Four of six trials, and not an end of the search by consecutive failures.
    assert len(results) == 6


def test_values_known_before_training_are_in_the_log(searched):
    for trial in searched.results.history.trials.values():
        units = trial.config["units"]
        assert trial.untrained == {0: {"size": 6.0 * units + 1}}
    assert kt.open_study(searched.project_dir).results.best == searched.results.best


def test_the_plan_names_the_limits(searched):
    assert "Limit: size at most 49" in str(searched.plan())
    es = kt.GridSearch(build_few, **place(searched.directory, "other", limits=SMALL, lang="es"))
    assert "Límite: size como máximo 49" in str(es.plan())


def test_other_limits_are_another_search(searched):
    folder = searched.directory
    with pytest.raises(StudyMismatch, match="limits: was {'size': {'at most': 49.0"):
        kt.GridSearch(build_few, **place(folder, limits={"size": 50}))


def test_max_model_size_is_a_limit(tmp_path):
    tuner = kt.GridSearch(build_few, max_trials=6, **place(tmp_path, max_model_size=30))
    tuner.search(**DATA, epochs=1)
    assert [*tuner.results.failures()["kind"]] == ["limit"] * 4
    assert tuner.results.best.config["units"] == 4
    assert "(max_model_size)" in tuner.results.failures()["message"][0]


def test_no_model_fits(tmp_path):
    tuner = kt.BayesianOptimization(build_few, max_trials=6, **place(tmp_path, limits={"size": 5}))
    tuner.search(**DATA, epochs=1)
    assert len(tuner.results) == 6
    assert tuner.results.epochs == 0
    with pytest.raises(NoResult, match="within the limits"):
        _ = tuner.results.best


@pytest.mark.parametrize("cls", [kt.Hyperband, kt.ASHA])
def test_rungs_promote_what_keeps_the_limits(tmp_path, cls):
    more = {"max_epochs": 4, "factor": 2, "max_trials": 6} if cls is kt.ASHA else {"max_epochs": 4}
    tuner = cls(build_few, **more, **place(tmp_path, limits=SMALL))
    tuner.search(**DATA)
    trials = tuner.results.trials()
    assert not trials["feasible"].all()
    assert (trials["epochs"][~trials["feasible"]] == 0).all()
    assert tuner.results.best.config["units"] < 12


class Falling(keras.callbacks.Callback):
    """Logs a quality that falls from epoch to epoch."""

    def on_epoch_end(self, epoch, logs=None):
        logs["val_quality"] = 1.0 - 0.3 * epoch


def test_an_epoch_beyond_a_limit_is_not_the_best_epoch_and_its_weights_are_not_kept(tmp_path):
    limit = {kt.Objective("val_quality", "max"): 0.5}
    tuner = kt.RandomSearch(build_few, max_trials=2, **place(tmp_path, limits=limit))
    tuner.search(**DATA, epochs=4, callbacks=[Falling()])
    best = tuner.results.best
    assert best.metrics["val_quality"] >= 0.5
    assert best.epoch == 2  # the loss falls through epoch 4
    model = tuner.get_best_models(1)[0]
    loss = model.evaluate(*DATA["validation_data"], verbose=0)[0]
    assert loss == pytest.approx(best.score, rel=1e-5)


def test_a_limit_of_the_users_own_function(tmp_path):
    depth = kt.Objective("layers", "min", of=count_layers, before_training=True)
    tuner = kt.RandomSearch(build_few, max_trials=2, **place(tmp_path, limits={depth: 2}))
    tuner.search(**DATA, epochs=1)
    assert {*tuner.results.failures()["message"]} == {
        "layers is 3, but at most 2 is allowed (limits)."
    }


def count_layers(model):
    return float(len(model.layers))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"limits": {"val_recal_x": 0.5}}, "not known whether 'val_recal_x'"),
        ({"limits": {"val_recall": 0.5}}, "does not log the limited metric 'val_recall'"),
        ({"limits": {"size": 5}, "max_model_size": 5}, "max_model_size is limits={'size'"),
        ({"limits": {"size": "big"}}, "must be a finite number"),
    ],
)
def test_a_limit_that_is_invalid_is_refused_before_training(tmp_path, settings, message):
    with pytest.raises(InvalidInput, match=message):
        tuner = kt.RandomSearch(build_few, max_trials=2, **place(tmp_path, **settings))
        tuner.search(**DATA, epochs=1)
    assert not list(tmp_path.rglob("*.jsonl")) or not tuner.results.history.trials


class Own(kt.HyperModel):
    def build(self, hp):
        return make(hp.Int("units", 4, 12, step=4))

    def fit(self, hp, model, *args, **kwargs):
        model.fit(*args, **kwargs)
        return {"val_loss": 0.5}


def test_a_result_of_ones_own_without_the_limited_metric_ends_the_search(tmp_path):
    limit = {kt.Objective("val_recall", "max"): 0.5}
    tuner = kt.RandomSearch(Own(), max_trials=2, **place(tmp_path, limits=limit))
    with pytest.raises(UnusableResult, match="does not log 'val_recall', which is limited"):
        tuner.search(**DATA, epochs=1)


def test_the_values_of_a_paused_trial_are_not_measured_again(tmp_path):
    calls = []

    def noisy(model):
        calls.append(model)
        return float(np.random.default_rng(len(calls)).random())

    objective = ["val_loss", kt.Objective("noisy", "min", of=noisy, before_training=True)]
    tuner = kt.Hyperband(build_few, max_epochs=4, **place(tmp_path, objective=objective))
    tuner.search(**DATA)
    history = tuner.results.history
    assert len(calls) == len(history.trials)
    for trial in history.trials.values():
        seen = {report.metrics["noisy"] for report in trial.reports[0].values()}
        assert seen == {trial.untrained[0]["noisy"]}
