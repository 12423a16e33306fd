"""What each tuner may spend, and what it needs."""

from __future__ import annotations

import pytest

from kerashpo.compare import tuners
from kerashpo.compare.comparison_options import ComparisonOptions
from kerashpo.compare.tuners import TUNERS, allowance, keras_tuner_band, require_installed
from kerashpo.core.errors import MissingExtra


def test_by_habit():
    options = ComparisonOptions()
    found = {name: options.allowance(name) for name in (*TUNERS, "default", "majority", "mean")}
    spent = {name: (one.trials, one.epochs) for name, one in found.items()}
    assert spent["hyperband"] == spent["bohb"] == spent["dehb"] == (49, 673)
    assert spent["asha"] == spent["recommended"] == (None, 673)
    full = {"bayesian", "random", "keras_tuner.bayesian", "optuna.tpe", "optuna.gp"}
    full |= {"auto", "tpe", "cmaes", "de", "pso", "policy", "sobol"}
    assert {spent[name] for name in full} == {(25, 1250)}
    assert spent["pbt"] == (8, 400)
    assert spent["default"] == (1, 50)
    assert spent["majority"] == spent["mean"] == (0, 0)
    assert {one.rounds for one in found.values()} == {1}


def test_one_budget_for_all():
    found = {name: allowance(name, 9, 3, 25, 72) for name in TUNERS}
    assert {one.epochs for one in found.values()} == {72}
    assert found["bayesian"].trials == found["optuna.gp"].trials == 8
    assert found["hyperband"].trials is None
    # One set of brackets is 69 epochs of ours and 75 of KerasTuner's: ours goes round again.
    assert found["hyperband"].rounds >= 2 and found["keras_tuner.hyperband"].rounds >= 2


@pytest.mark.parametrize(("epochs", "band"), [(50, (62, 922)), (9, (17, 75)), (2, (2, 4))])
def test_keras_tuners_brackets(epochs, band):
    assert keras_tuner_band(epochs, 3) == band


def test_keras_tuners_own_oracle_plans_those_epochs(tmp_path):
    import keras_tuner

    hp = keras_tuner.HyperParameters()
    hp.Float("x", 0.0, 1.0)
    aim = keras_tuner.Objective("loss", "min")
    oracle = keras_tuner.oracles.HyperbandOracle(aim, 50, 3, seed=1, hyperparameters=hp)
    oracle._set_project_dir(str(tmp_path), "oracle")
    oracle.verbose = 0
    begun = epochs = 0
    while (trial := oracle.create_trial("tuner0")).status == "RUNNING":
        values = trial.hyperparameters.values
        begun += values["tuner/round"] == 0
        epochs += values["tuner/epochs"] - values["tuner/initial_epoch"]
        oracle.update_trial(trial.trial_id, {"loss": values["x"]})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    assert (begun, epochs) == keras_tuner_band(50, 3)


def test_a_peer_that_is_absent_names_the_extra(monkeypatch):
    monkeypatch.setattr(tuners, "find_spec", lambda name: None if name == "torch" else name)
    require_installed(["optuna.tpe", "random", "keras_tuner.hyperband"])
    with pytest.raises(MissingExtra, match=r"'optuna.gp' needs torch.*kerashpo\[peers\]"):
        require_installed(["random", "optuna.gp"])
    monkeypatch.setattr(tuners, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="'optuna.gp' needs optuna and torch"):
        require_installed(["optuna.gp"])
