"""From `build_model` to a search: dependent ranges, bounds of discovery, resuming."""

from __future__ import annotations

from typing import Any

import keras
import pytest

import kerashpo as kt
from kerashpo.space import discovery
from tests.helpers.small_models import DATA, make, outcomes, place


def triangle(hp: Any) -> keras.Model:
    hp.Int("b", 1, hp.Int("a", 1, 4))
    return make()


def branches(hp: Any) -> keras.Model:
    """A choice and steps that depend on a branch: 2 * 3 + 2 * 2 configurations."""
    deep = hp.Boolean("deep")
    hp.Choice("act", ["relu", "tanh"] if deep else ["relu", "gelu"])
    return make(hp.Int("units", 4, 8, step=2 if deep else 4))


TUNERS: dict[str, dict[str, Any]] = {
    "GridSearch": {},
    "RandomSearch": {"max_trials": 30},
    "BayesianOptimization": {"max_trials": 30},
    "Hyperband": {"max_epochs": 2, "factor": 2, "hyperband_iterations": None, "max_trials": 30},
}


@pytest.mark.parametrize("name", TUNERS)
@pytest.mark.parametrize("build", [pytest.param(triangle, marks=pytest.mark.slow), branches])
def test_each_configuration_that_can_be_trained_is_trained_once(name, build, tmp_path):
    tuner = getattr(kt, name)(build, **TUNERS[name], **place(tmp_path))
    tuner.search(**DATA)
    trials = tuner.results.history.trials.values()
    configs = {tuple(sorted(trial.config.items())) for trial in trials}
    assert len(trials) == len(configs) == 10
    assert all(trial.config == trial.proposed for trial in trials)


def test_a_search_over_dependent_ranges_resumes_exactly(tmp_path):
    for trials in (3, 8):
        cut = kt.RandomSearch(triangle, max_trials=trials, **place(tmp_path))
        cut.search(**DATA)
    whole = kt.RandomSearch(triangle, max_trials=8, **place(tmp_path, "whole"))
    whole.search(**DATA)
    assert outcomes(cut.results) == outcomes(whole.results)


def test_enqueued_values_outside_of_a_dependent_range_are_trained_as_the_nearest(tmp_path):
    tuner = kt.RandomSearch(triangle, max_trials=2, **place(tmp_path))
    tuner.enqueue({"a": 2, "b": 4})
    tuner.search(**DATA)
    assert tuner.results.history.trials[0].config == {"a": 2, "b": 2}


def loop(hp: Any) -> keras.Model:
    for i in range(hp.Int("layers", 1, 9)):
        hp.Int(f"units_{i}", 2, 9)
    return make()


def test_discovery_that_a_bound_cuts_short_is_reported_and_repeats_on_resuming(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("kerashpo.training.hypermodel.MAX_CALLS", 5)
    with pytest.warns(UserWarning, match="build_model was called 5 times .* join the space"):
        tuner = kt.RandomSearch(loop, max_trials=4, **place(tmp_path))
    found = tuner.space
    tuner.search(**DATA)
    assert tuner.results.history.failed == 0
    # Whatever the bounds are now, and however slow the machine is, it is the same space.
    monkeypatch.setattr("kerashpo.training.hypermodel.MAX_CALLS", 99)
    again = kt.RandomSearch(loop, max_trials=4, **place(tmp_path))
    assert again.space == found and len(again.results) == 4
    again.search(**DATA)


def test_a_slow_machine_resumes_what_a_fast_one_has_begun(tmp_path, monkeypatch):
    tuner = kt.RandomSearch(loop, max_trials=1, **place(tmp_path))
    tuner.search(**DATA)
    monkeypatch.setattr("kerashpo.training.hypermodel.MAX_SECONDS", 0.0)
    again = kt.RandomSearch(loop, max_trials=2, **place(tmp_path))
    assert again.space == tuner.space
    again.search(**DATA)
    assert discovery.MAX_SECONDS > 0


def test_a_strict_search_refuses_what_kerastuner_would_guess(tmp_path):
    def odd(hp: Any) -> keras.Model:
        return make(hp.Int("units", 4, 11, step=4))

    with pytest.raises(kt.errors.InvalidSpace, match="'units'.*does not divide"):
        kt.GridSearch(odd, strict=True, **place(tmp_path))
    with pytest.warns(UserWarning, match="'units'.*does not divide") as caught:
        tuner = kt.GridSearch(odd, **place(tmp_path))
        tuner.search(**DATA)
    assert len(caught) == 1
    assert [t.config["units"] for t in tuner.results.history.trials.values()] == [4, 8]
    with pytest.raises(ValueError, match="strict must be True or False"):
        kt.GridSearch(odd, strict="yes", **place(tmp_path))
