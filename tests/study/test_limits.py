"""Limits of a search: no infeasible trial wins, algorithms learn them, logs keep them."""

from __future__ import annotations

import numpy as np
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, NoResult, StudyMismatch
from kerashpo.core.pareto import non_dominated
from kerashpo.space import Space, uniform

SPACE = Space({"x": uniform(0.0, 1.0), "y": uniform(0.0, 1.0)})
TWO = [kt.Objective("f1", "min"), kt.Objective("f2", "min")]
LOAD = kt.Objective("load", "min")
ALGORITHMS = ("random", "sobol", "bayesian", "tpe", "nsga2", "cmaes", "de", "pso", "policy")
SEVERAL = ("random", "bayesian", "tpe", "nsga2")


def fn(config):
    """The best values lie where the load is too high."""
    x, y = config["x"], config["y"]
    return {"f1": x**2 + y, "f2": (1 - x) ** 2 + y, "load": 1.0 - y}


def search(algorithm, limit=0.4, objective=TWO, **options):
    more = {"max_trials": 30, "seed": 0, "verbose": 0, "limits": {LOAD: limit}, **options}
    return kt.optimize(fn, SPACE, objective=objective, algorithm=algorithm, **more)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_best_of_one_objective_keeps_the_limit(algorithm):
    results = search(algorithm, objective=TWO[:1])
    trials = results.trials()
    assert results.best.metrics["load"] <= 0.4
    kept = trials[trials["feasible"]]
    assert results.best.score == kept["score"].min()
    assert trials["score"].min() < results.best.score  # so the limit decided


@pytest.mark.parametrize("algorithm", SEVERAL)
def test_no_infeasible_trial_is_on_the_front(algorithm):
    results = search(algorithm)
    rows = {n: fn(t.config) for n, t in results.history.trials.items()}
    kept = [n for n, row in rows.items() if row["load"] <= 0.4]
    costs = np.array([[rows[n]["f1"], rows[n]["f2"]] for n in kept])
    expected = {n for n, best in zip(kept, non_dominated(costs)) if best}
    assert {*results.pareto()["trial"]} == {*results.history.front()} == expected
    assert results.best.trial in expected
    volume = results.hypervolume()
    assert {*volume["trial"]} == {*kept}


@pytest.mark.parametrize("algorithm", ["bayesian", "tpe", "nsga2", "cmaes", "de"])
def test_an_algorithm_learns_where_trials_are_feasible(algorithm):
    """One of seven random configurations keeps the limit, and far more of those proposed."""
    objective = TWO if algorithm in SEVERAL else TWO[:1]
    results = search(algorithm, 0.15, objective, max_trials=60)
    feasible = [trial.feasible for trial in results.history.trials.values()]
    assert np.mean(feasible[30:]) > 0.3


@pytest.mark.parametrize("algorithm", ["tpe", "nsga2"])
def test_a_limit_that_all_trials_keep_changes_nothing(algorithm):
    loose, none = (search(algorithm, limits=one, max_trials=15) for one in ({LOAD: 9.0}, None))
    assert loose.trials()["param_x"].equals(none.trials()["param_x"])
    assert loose.pareto().equals(none.pareto())


def test_no_trial_within_the_limits():
    results = search("bayesian", -1.0, max_trials=8)
    assert len(results) == 8
    with pytest.raises(NoResult, match="No trial has a finite f1 within the limits yet"):
        _ = results.best
    assert results.pareto().empty


def test_changed_limits_are_another_search_and_the_same_ones_resume(tmp_path):
    place = tmp_path / "study"
    first = search("nsga2", directory=place, max_trials=10)
    more = search("nsga2", directory=place, max_trials=14)
    assert len(more) == 14
    again = search("nsga2", max_trials=14)
    assert [t.config for t in again.history.trials.values()] == [
        t.config for t in more.history.trials.values()
    ]
    for change in ({"limits": {LOAD: 0.5}}, {"limits": None}):
        with pytest.raises(StudyMismatch, match="limits: was {'load': {'at most': 0.4}}"):
            search("nsga2", directory=place, **change)
    read = kt.open_study(place).results
    assert read.best == more.best
    assert len(first) == 10


def test_summaries_and_reports_show_the_limits(tmp_path, capsys):
    results = search("random", max_trials=8, verbose=1)
    assert "Limit: load at most 0.4" in capsys.readouterr().out
    for lang, words in (
        ("en", ("Limit: load at most 0.4", "of 8 trials exceed a limit")),
        ("es", ("Límite: load como máximo 0.4", "de 8 ensayos superan un límite")),
    ):
        page = results.report(tmp_path / f"{lang}.md", lang).read_text("utf-8")
        assert all(word in page for word in words)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"limits": {"load": 1}}, "not known whether 'load' should be minimised"),
        ({"limits": {kt.Objective("n", "min", of=len): 1}}, "none is trained here"),
        ({"limits": {LOAD: None}}, "must be a finite number"),
    ],
)
def test_a_limit_that_is_invalid_is_refused_before_anything_runs(change, message):
    def never(config):
        raise AssertionError("called")

    with pytest.raises(InvalidInput, match=message):
        kt.optimize(never, SPACE, **change)


def test_the_function_must_return_what_is_limited():
    with pytest.raises(InvalidInput, match="must return a mapping with 'value', 'load'"):
        kt.optimize(lambda config: 1.0, SPACE, limits={LOAD: 1.0}, max_trials=2, verbose=0)


@pytest.mark.parametrize("acquisition", ["ei", "ucb"])
def test_an_acquisition_without_a_logarithm_is_refused(acquisition):
    with pytest.raises(InvalidInput, match="needs 'logei' or 'pi'"):
        search("bayesian", objective=TWO[:1], acquisition=acquisition)
