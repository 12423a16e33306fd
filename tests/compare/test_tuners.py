"""What each tuner may spend, and what it needs."""

from __future__ import annotations

import pytest

from kerashpo.compare import tuners
from kerashpo.compare.options import Options
from kerashpo.compare.tuners import TUNERS, allowance, keras_tuner_band, require_installed
from kerashpo.core.errors import MissingExtra


def test_by_habit():
    options = Options()
    found = {name: options.allowance(name) for name in (*TUNERS, "default", "majority", "mean")}
    spent = {name: (one.trials, one.epochs) for name, one in found.items()}
    assert spent["hyperband"] == spent["bohb"] == (49, 673)
    assert spent["asha"] == spent["recommended"] == (None, 673)
    full = {"bayesian", "random", "keras_tuner.bayesian", "optuna.tpe", "optuna.gp"}
    assert {spent[name] for name in full} == {(25, 1250)}
    assert spent["default"] == (1, 50)
    assert spent["majority"] == spent["mean"] == (0, 0)
    assert {one.rounds for one in found.values()} == {1}


def test_one_budget_for_all():
    found = {name: allowance(name, 9, 3, 25, 72) for name in TUNERS}
    assert {one.epochs for one in found.values()} == {72}
    assert found["bayesian"].trials == found["optuna.gp"].trials == 8
    assert found["hyperband"].trials is None
    # One set of brackets is 69 epochs of ours and 54 of KerasTuner's: both go round again.
    assert found["hyperband"].rounds >= 2 and found["keras_tuner.hyperband"].rounds >= 2


@pytest.mark.parametrize(("epochs", "band"), [(50, (28, 696)), (9, (8, 54)), (2, (0, 0))])
def test_keras_tuners_brackets(epochs, band):
    assert keras_tuner_band(epochs, 3) == band


def test_a_peer_that_is_absent_names_the_extra(monkeypatch):
    monkeypatch.setattr(tuners, "find_spec", lambda name: None if name == "torch" else name)
    require_installed(["optuna.tpe", "random", "keras_tuner.hyperband"])
    with pytest.raises(MissingExtra, match=r"'optuna.gp' needs torch.*kerashpo\[peers\]"):
        require_installed(["random", "optuna.gp"])
    monkeypatch.setattr(tuners, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="'optuna.gp' needs optuna and torch"):
        require_installed(["optuna.gp"])
