"""What a trial's values and metrics say, as KerasTuner's trials do."""

from __future__ import annotations

import json
from typing import Any

import keras
import keras_tuner
import numpy as np
import pytest

import kerashpo as kt
from tests.helpers.small_models import DATA, build, build_few, eagerly, place


@pytest.fixture(scope="module")
def hyperband(tmp_path_factory: pytest.TempPathFactory) -> Any:
    tuner = kt.Hyperband(
        build, max_epochs=4, factor=2, **place(tmp_path_factory.mktemp("hyperband"))
    )
    tuner.search(**DATA)
    return tuner


def test_the_budget_can_be_read_and_is_not_among_the_values(hyperband):
    for hp in hyperband.get_best_hyperparameters(100):
        assert {*hp.values} == {"units", "rate"} and "tuner" not in json.dumps(hp.values)
        assert hp.get("tuner/epochs") == hp["tuner/epochs"] == hp.values["tuner/epochs"]
        assert hp.values.get("tuner/epochs") in (1, 2, 4) and "tuner/epochs" in hp.values
        assert hp["tuner/initial_epoch"] < hp["tuner/epochs"]
        assert hp.copy().values == hp.values
    assert all("tuner" not in name for t in hyperband.oracle.trials.values()
               for name in t.hyperparameters.values)  # fmt: skip
    assert not any("tuner" in json.dumps(c) for c in hyperband.results.trials().columns.tolist())


def test_the_budget_is_that_of_the_trials_rungs(hyperband):
    records = hyperband.results.history.trials
    for number, trial in hyperband.oracle.trials.items():
        hp, rungs = trial.hyperparameters, records[int(number)].targets
        assert (hp["tuner/epochs"], hp["tuner/round"]) == (rungs[-1], len(rungs) - 1)
        assert hp["tuner/initial_epoch"] == (rungs[-2] if len(rungs) > 1 else 0)
        assert hp["tuner/bracket"] == {1: 2, 2: 1, 4: 0}[rungs[0]]
        assert hp.values.get("tuner/trial_id") == (number if len(rungs) > 1 else None)


def test_the_winner_is_trained_again_as_scripts_do(hyperband):
    (best,) = hyperband.get_best_hyperparameters()
    model = hyperband.hypermodel.build(best)
    epochs = best.get("tuner/epochs")
    history = model.fit(DATA["x"], DATA["y"], epochs=epochs, verbose=0)
    assert len(history.epoch) == epochs


def test_other_names_are_not_there(hyperband, tmp_path):
    (best,) = hyperband.get_best_hyperparameters()
    with pytest.raises(KeyError):
        best.get("tuner/epoch")
    assert best.values.get("tuner/epoch", 3) == 3
    full = kt.RandomSearch(build_few, max_trials=1, **place(tmp_path))
    full.search(**DATA)
    with pytest.raises(KeyError):
        full.get_best_hyperparameters()[0].get("tuner/epochs")


def test_run_trial_reads_the_budget_where_kerastuner_has_it(tmp_path):
    seen = []

    class Reading(kt.Hyperband):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
            hp = trial.hyperparameters
            seen.append((hp.get("tuner/initial_epoch"), hp.values["tuner/epochs"]))
            return hp.Float("x", 0.0, 1.0)

    tuner = Reading(max_epochs=4, factor=4, **place(tmp_path))
    tuner.search(verbose=0)
    assert {*seen} == {(0, 1), (1, 4), (0, 4)}
    assert all({*trial.config} == {"x"} for trial in tuner.results.history.trials.values())


def slow(hp: Any) -> keras.Model:
    """Its validation loss rises and falls."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Int("units", 1, 9))])
    model.add(keras.layers.Dense(1))
    model.compile(keras.optimizers.SGD(0.3), "mse", metrics=["mae"])
    return model


@pytest.mark.parametrize("executions", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_metrics_are_those_of_kerastuner(executions, tmp_path):
    trials = 3 - executions
    shared = {"objective": "val_loss", "max_trials": trials, "executions_per_trial": executions}

    def untraced(hp: Any) -> keras.Model:
        return eagerly(slow(hp))

    def searched(package: Any) -> list[Any]:
        folder = tmp_path / package.__name__
        tuner = package.RandomSearch(untraced, seed=3, directory=folder, **shared)
        data = {name: DATA[name] for name in ("x", "y", "validation_data")}
        tuner.search(**data, epochs=2, verbose=0)
        return tuner.oracle.get_best_trials(trials)

    theirs, ours = searched(keras_tuner), searched(kt)
    for trial in (*theirs, *ours):
        metrics = trial.metrics
        assert metrics.get_last_value("val_loss") == pytest.approx(trial.score, rel=1e-6)
        assert metrics.get_best_value("val_loss") == pytest.approx(trial.score, rel=1e-6)
        (observation,) = metrics.get_history("val_loss")
        assert (observation.step, len(observation.value)) == (trial.best_step, 1)
        statistics = metrics.get_statistics("val_loss")
        assert statistics["mean"] == pytest.approx(trial.score) and statistics["std"] == 0
        assert {*metrics.metrics} == {"loss", "mae", "val_loss", "val_mae"}
        assert metrics.get_direction("val_loss") == "min"


def test_metrics_are_those_of_each_runs_best_epoch(tmp_path):
    tuner = kt.RandomSearch(slow, "val_mae", 1, 0, executions_per_trial=2, directory=tmp_path)
    tuner.search(**DATA, epochs=4)
    (trial,) = tuner.oracle.trials.values()
    reports = tuner.results.history.trials[0].reports
    best = [min(run, key=lambda e: run[e].metrics["val_mae"]) for run in reports.values()]
    for name in ("loss", "val_mae"):
        values = [reports[run][epoch].metrics[name] for run, epoch in enumerate(best)]
        assert trial.metrics.get_last_value(name) == pytest.approx(np.mean(values))
    assert trial.best_step == int(np.mean(best)) - 1


def test_a_trial_without_a_score_has_no_metrics(tmp_path):
    def wrong(hp: Any) -> keras.Model:
        if hp.Int("units", 1, 9) > 1:
            raise RuntimeError("no")
        return slow(hp)

    tuner = kt.RandomSearch(
        wrong, max_trials=2, max_consecutive_failed_trials=None, **place(tmp_path)
    )
    tuner.search(**DATA)
    failed = [t for t in tuner.oracle.trials.values() if t.status == "FAILED"]
    assert failed and not failed[0].metrics.exists("val_loss") and failed[0].score is None
