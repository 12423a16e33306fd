"""``warm_start=`` of the oracles: in a tuner of KerasTuner's and in one of ours."""

from __future__ import annotations

import keras_tuner
import numpy as np
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, StudyNotFound

SPACE = {"x": kt.space.uniform(-5.0, 5.0), "kind": kt.space.choice(["a", "b"])}
ORACLES = ("RandomSearchOracle", "BayesianOptimizationOracle", "SearchOracle", "ASHAOracle")
PAIRS = [({"x": 1.25, "kind": "b"}, 0.1), ({"x": -4.0, "kind": "a"}, 9.0)]


def bowl(config):
    return (config["x"] - 1) ** 2 + (config["kind"] == "a")


class Bowl(keras_tuner.Tuner):
    def run_trial(self, trial):
        hp = trial.hyperparameters
        return {"loss": bowl({"x": hp.Float("x", -5, 5), "kind": hp.Choice("kind", ["a", "b"])})}


def search(oracle, folder):
    tuner = Bowl(oracle, directory=folder, project_name="bowl")
    tuner.search()
    trials = tuner.oracle.trials
    order = tuner.oracle.start_order
    return [
        {k: v for k, v in trials[t].hyperparameters.values.items() if not k.startswith("tuner/")}
        for t in order
    ]


def defined():
    hp = keras_tuner.HyperParameters()
    hp.Float("x", -5, 5)
    hp.Choice("kind", ["a", "b"])
    return hp


def given(**more):
    objective = keras_tuner.Objective("loss", "min")
    return {"objective": objective, "max_trials": 3, "seed": 0, **more}


@pytest.mark.parametrize("name", [*ORACLES, "HyperbandOracle"])
def test_the_best_earlier_configuration_is_tried_first(name, tmp_path):
    options = given(hyperparameters=defined(), warm_start=PAIRS)
    if name in ("ASHAOracle", "HyperbandOracle"):
        options["max_epochs"] = 3
    if name == "HyperbandOracle":
        del options["max_trials"]
    assert search(getattr(kt.oracles, name)(**options), tmp_path)[0] == PAIRS[0][0]


def test_a_study_s_folder_is_read_for_the_parameters_that_the_trials_define(tmp_path):
    earlier = kt.optimize(
        bowl, SPACE, metric="loss", max_trials=6, seed=1, verbose=0, directory=tmp_path / "earlier"
    )
    oracle = kt.oracles.SearchOracle(algorithm="tpe", **given(warm_start=tmp_path / "earlier"))
    tried = search(oracle, tmp_path)
    # The first trial defines them.
    assert tried[1] == dict(earlier.best.config)


def test_a_reloaded_oracle_goes_on_with_the_same_trials(tmp_path):
    def oracle(count):
        options = given(hyperparameters=defined(), warm_start=PAIRS, max_trials=count)
        return kt.oracles.BayesianOptimizationOracle(**options)

    whole = search(oracle(5), tmp_path / "whole")
    search(oracle(2), tmp_path / "parts")
    assert search(oracle(5), tmp_path / "parts") == whole


def test_a_wrong_source_is_an_error_before_the_search_and_an_unfit_one_at_its_first_trial(tmp_path):
    with pytest.raises(InvalidInput, match="warm_start must be"):
        kt.oracles.RandomSearchOracle(**given(warm_start=3))
    unfit = given(hyperparameters=defined(), warm_start=[({"y": 1.0}, 0.1)])
    with pytest.raises(InvalidInput, match="also has 'y'"):
        search(kt.oracles.RandomSearchOracle(**unfit), tmp_path / "unfit")
    missing = given(hyperparameters=defined(), warm_start=tmp_path / "nothing")
    with pytest.raises(StudyNotFound):
        search(kt.oracles.RandomSearchOracle(**missing), tmp_path / "missing")


def test_a_tuner_of_ours_takes_it_from_the_oracle(tmp_path):
    from sklearn.linear_model import Ridge

    def build(hp):
        return Ridge(alpha=hp.Float("alpha", 0.01, 10.0))

    oracle = kt.oracles.BayesianOptimizationOracle(
        objective=keras_tuner.Objective("score", "max"),
        max_trials=2,
        seed=0,
        warm_start=[({"alpha": 0.5}, 0.9), ({"alpha": 5.0}, 0.1)],
    )
    tuner = kt.SklearnTuner(oracle, build, directory=tmp_path, project_name="ridge")
    rows = np.random.default_rng(0).normal(size=(40, 3))
    tuner.search(rows, rows @ [1.0, 2.0, 3.0])
    assert dict(tuner.results.history.trials[0].config) == {"alpha": 0.5}
    with pytest.raises(InvalidInput, match="warm_start is the oracle's argument"):
        kt.SklearnTuner(oracle, build, directory=tmp_path, warm_start=[({"alpha": 0.5}, 0.9)])
