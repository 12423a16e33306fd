"""The Bayesian tuner's own verbs: queues, warm starts, explanations."""

from __future__ import annotations

import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, InvalidSpace
from tests.helpers.small_models import DATA, build, place


def search(folder, name="study", enqueued=(), **settings):
    given = {"max_trials": 3, "num_initial_points": 2} | settings
    tuner = kt.BayesianOptimization(build, **place(folder, name), **given)
    for values in enqueued:
        tuner.enqueue(values)
    tuner.search(**DATA)
    return tuner


def test_known_values_are_tried_first_and_a_rerun_continues(tmp_path):
    known = {"units": 24, "rate": 0.05}
    tuner = search(tmp_path, enqueued=[known])
    assert dict(tuner.results.history.trials[0].config) == known
    again = search(tmp_path, enqueued=[known], max_trials=4)
    assert len(again.results) == 4
    with pytest.raises(InvalidSpace, match="no parameter 'unit'.*'units'"):
        tuner.enqueue({"unit": 8})


def test_an_earlier_search_is_evidence(tmp_path):
    first = search(tmp_path, "first")
    by_results = search(tmp_path, "second", warm_start=first.results)
    by_folder = search(tmp_path, "third", warm_start=first.project_dir)
    cold = search(tmp_path, "cold")
    chosen = [
        [t.config for t in tuner.results.history.trials.values()]
        for tuner in (by_results, by_folder, cold)
    ]
    assert chosen[0] == chosen[1]
    assert chosen[0] != chosen[2]
    with pytest.raises(InvalidInput, match="warm_start must be the Results"):
        search(tmp_path, "wrong", warm_start=[3])


def test_it_explains_what_it_believes(tmp_path):
    explanation = search(tmp_path).explain()
    assert set(explanation.relevance) == {"units", "rate"}
    assert sum(explanation.relevance.values()) == pytest.approx(1.0)
    assert "next" in str(explanation)
