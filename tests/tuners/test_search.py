"""`kt.Search` and `SearchOracle`: any algorithm by its name."""

from __future__ import annotations

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import RidgeClassifier

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from tests.helpers.small_models import DATA, build_few, outcomes, place


def test_it_trains_what_the_named_algorithm_proposes(tmp_path):
    options = {"algorithm": "tpe", "algorithm_options": {"num_initial_points": 1}}
    tuner = kt.Search(build_few, max_trials=3, **options, **place(tmp_path))
    tuner.search(**DATA)
    space = tuner.results.space
    study = kt.optimize(lambda config: 0.0, space, seed=0, max_trials=1, algorithm="tpe", verbose=0)
    assert tuner.results.history.trials[0].config == study.history.trials[0].config
    assert tuner.algorithm == "tpe" and "Search + tpe" in repr(tuner)
    settings = tuner.results.history.settings
    assert (settings["algorithm"], settings["options"]) == ("tpe", {"num_initial_points": 1})


def test_an_oracle_stands_for_the_same_search(tmp_path):
    oracle = kt.oracles.SearchOracle(
        "val_loss", 2, algorithm="pso", algorithm_options={"population_size": 2}, seed=0
    )
    tuner = kt.Tuner(oracle, build_few, directory=tmp_path, project_name="oracle")
    named = kt.Search(
        build_few,
        max_trials=2,
        algorithm="pso",
        algorithm_options={"population_size": 2},
        **place(tmp_path),
    )
    for one in (tuner, named):
        one.search(**DATA)
    assert outcomes(tuner.results) == outcomes(named.results)


def test_estimators_take_any_algorithm_by_an_oracle(tmp_path):
    oracle = kt.oracles.SearchOracle(kt.Objective("score", "max"), 3, algorithm="cmaes", seed=0)
    tuner = kt.SklearnTuner(
        oracle,
        lambda hp: RidgeClassifier(alpha=hp.Float("alpha", 1e-3, 1e2, sampling="log")),
        cv=2,
        directory=tmp_path,
    )
    tuner.search(*load_iris(return_X_y=True), verbose=0)
    assert len(tuner.results) == 3 and tuner.algorithm == "cmaes"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"algorithm": "tpee"}, "Unknown algorithm 'tpee'. Did you mean 'tpe'"),
        ({"algorithm": "tpe", "algorithm_options": {"gama": 1}}, "no option 'gama'.*'gamma'"),
        ({"scheduler": "asha"}, "Unknown scheduler 'asha'"),
    ],
)
def test_bad_input(settings, message, tmp_path):
    with pytest.raises(InvalidInput, match=f"(?s){message}"):
        kt.Search(build_few, **settings, **place(tmp_path))
