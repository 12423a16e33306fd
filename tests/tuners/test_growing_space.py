"""Parameters that discovery could not see: drawn, reported, searched and resumed."""

from __future__ import annotations

from typing import Any

import keras
import pytest

import kerashpo as kt
from tests.helpers.small_models import DATA, make, outcomes, place

DEFAULT = 7


def growing(hp: Any) -> keras.Model:
    """Declares ``hidden`` on a band that neither the default nor the far end touches."""
    rate = hp.Float("rate", 0.0, 1.0, step=0.01)
    if 0.3 < rate < 0.97:
        hp.Int("hidden", 0, 1000, default=DEFAULT)
    return make(hp.Int("units", 2, 9))


@pytest.mark.parametrize("name", ["RandomSearch", "BayesianOptimization", "Hyperband"])
def test_a_hidden_parameter_is_drawn_and_the_search_continues(name, tmp_path):
    settings = {"max_epochs": 2, "factor": 2} if name == "Hyperband" else {}
    tuner = getattr(kt, name)(growing, max_trials=5, **settings, **place(tmp_path))
    assert "hidden" not in tuner.space.names
    tuner.search(**DATA)
    results = tuner.results
    assert "hidden" in results.space.names
    values = [t.config["hidden"] for t in results.history.trials.values() if "hidden" in t.config]
    assert len(set(values)) > 1 and DEFAULT not in values
    assert results.history.failed == 0
    assert "param_hidden" in results.trials()
    (best,) = tuner.get_best_hyperparameters(1)
    assert tuner.hypermodel.build(best).layers[0].units == best.get("units")


def test_a_grown_search_continues_as_if_it_had_never_stopped(tmp_path):
    for trials in (2, 5):
        tuner = kt.RandomSearch(growing, max_trials=trials, **place(tmp_path))
        tuner.search(**DATA)
    whole = kt.RandomSearch(growing, max_trials=5, **place(tmp_path, "whole"))
    whole.search(**DATA)
    assert outcomes(tuner.results) == outcomes(whole.results)
    assert tuner.results.space == whole.results.space


def test_a_value_outside_a_narrower_bound_is_reported_as_used(tmp_path):
    def narrowing(hp: Any) -> keras.Model:
        return make(hp.Int("b", 1, hp.Int("a", 2, 8)))

    tuner = kt.RandomSearch(narrowing, max_trials=6, **place(tmp_path))
    tuner.search(**DATA)
    configs = [trial.config for trial in tuner.results.history.trials.values()]
    assert all(config["b"] <= config["a"] for config in configs)
    assert max(config["b"] for config in configs) > 2
