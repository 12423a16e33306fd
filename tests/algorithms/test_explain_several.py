"""Explanations of several objectives: what the next point trades, and importances of each."""

from __future__ import annotations

import matplotlib

matplotlib.use("agg")

import numpy as np
import pytest

import kerashpo as kt
from kerashpo.algorithms.bayesian import BayesianOptimization
from kerashpo.analysis.importance import importances

SPACE = kt.Space({"x": kt.space.uniform(0, 1), "y": kt.space.uniform(0, 1)})
TWO = [kt.Objective("gain", "max"), kt.Objective("cost", "min")]


def fn(config):
    """The gain depends on x alone, the cost on y alone."""
    return {"gain": config["x"] ** 0.5, "cost": 1 + 3 * config["y"], "load": config["x"]}


def search(limits=None):
    return kt.optimize(
        fn,
        SPACE,
        objective=TWO,
        limits=limits,
        algorithm="random",
        max_trials=24,
        seed=0,
        verbose=0,
    )


@pytest.fixture(scope="module")
def history():
    return search().history


def test_each_objective_says_what_it_gains_or_loses_against_the_knee(history):
    algorithm = BayesianOptimization(SPACE, 0)
    found = algorithm.explain(history)
    proposal = algorithm.ask(history.next_trial, history)
    knee = history.best.config
    assert [*found.objectives] == ["gain", "cost"]
    for name, one in found.objectives.items():
        assert (one.best.config, one.next.config) == (knee, proposal)
        true = fn(proposal)[name] - fn(knee)[name]
        assert found.trades[name] == pytest.approx(true, abs=0.1)
    assert found.objectives["gain"].relevance["x"] > 0.7
    assert found.objectives["cost"].relevance["y"] > 0.7
    assert found.feasible is None
    text = str(found)
    assert text.startswith("knee") and "gain" in text and "relevance" in text


def test_the_probability_of_keeping_the_limits_is_the_models():
    history = search({kt.Objective("load", "min"): 0.3}).history
    found = BayesianOptimization(SPACE, 0).explain(history)
    load = fn(found.objectives["gain"].next.config)["load"]
    assert 0.0 <= found.feasible <= 1.0
    if load < 0.25:
        assert found.feasible > 0.5
    assert f"{found.feasible:.0%}" in str(found)


def test_importances_are_of_the_objective_that_is_asked_for(history):
    for objective, name in zip(TWO, "xy"):
        first = importances(history, SPACE, objective)[0]
        assert first.names == (name,)
    results = search()
    ax = results.plot.importances(objective="cost")
    assert ax.get_yticklabels()[0].get_text() == "y"
    assert np.isfinite(ax.get_xlim()).all()


def test_the_report_has_the_importances_of_each_objective(tmp_path):
    page = search().report(tmp_path / "report.html").read_text("utf-8")
    assert page.count("Share of the score") == 2 * 2  # a caption and a label each
