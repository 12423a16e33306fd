"""Bayesian optimisation with several objectives."""

from __future__ import annotations

import math

import numpy as np
import pytest

import kerashpo as kt
from kerashpo.algorithms.pareto_model import reference_of
from kerashpo.core.errors import InvalidInput
from kerashpo.core.hypervolume import hypervolume
from kerashpo.space import Space, choice, uniform

SPACE = Space({"x": uniform(0.0, 1.0), "y": uniform(0.0, 1.0), "c": choice(["p", "q", "r"])})
TWO = [kt.Objective("f1", "min"), kt.Objective("f2", "min")]
THREE = [*TWO, kt.Objective("f3", "max")]


def fn(config):
    """The front lies at c = "q", y = 0.3."""
    away = (config["y"] - 0.3) ** 2 + 0.3 * (config["c"] != "q")
    x = config["x"]
    return {"f1": x**2 + away, "f2": (x - 1) ** 2 + away, "f3": -abs(x - 0.5) - away}


def search(objective=TWO, algorithm="bayesian", max_trials=22, seed=0, function=fn, **options):
    return kt.optimize(
        function,
        SPACE,
        objective=objective,
        algorithm=algorithm,
        max_trials=max_trials,
        seed=seed,
        verbose=0,
        **options,
    )


def volume(results):
    costs = np.array([trial.costs for trial in results.history.trials.values()])
    return hypervolume(costs, np.full(costs.shape[1], 1.0))


@pytest.mark.parametrize("objective", [TWO, THREE], ids=["two", "three"])
def test_it_covers_the_front_better_than_random_search_of_thrice_the_trials(objective):
    random = [
        volume(search(objective, algorithm="random", max_trials=66, seed=seed)) for seed in range(2)
    ]
    trials = 22 if objective is TWO else 16
    assert volume(search(objective, max_trials=trials)) > max(random)


def test_pending_trials_are_believed():
    """Three workers that ask before anything returns are sent to three places."""
    results = search(max_trials=10)
    history = results.history
    from kerashpo.algorithms.bayesian import BayesianOptimization
    from kerashpo.core.events import JobStarted
    from kerashpo.core.records import Start

    algorithm = BayesianOptimization(SPACE, 0)
    found = []
    for trial in range(10, 13):
        config = algorithm.ask(trial, history)
        found.append((config["x"], config["y"]))
        history.apply(JobStarted(Start(trial, config, 1)))
    gaps = [math.dist(a, b) for i, a in enumerate(found) for b in found[:i]]
    assert min(gaps) > 0.01


def test_the_reference_lies_a_tenth_beyond_the_worst():
    whole = np.array([[0.0, 10.0], [5.0, 0.0], [9.0, 30.0]])
    assert np.allclose(reference_of(whole, whole), [9.9, 33.0])
    # Beyond the front's own worst; a front of one point has the range of all trials.
    assert np.allclose(reference_of(whole[:2], whole), [5.5, 11.0])
    assert np.allclose(reference_of(whole[:1], whole), [0.9, 13.0])
    assert np.allclose(reference_of(np.array([[3.0, 4.0]]), np.array([[3.0, 4.0]])), [3.1, 4.1])


def test_a_front_is_filled_whose_ends_have_a_cost_of_zero():
    """The model believes in less than 0 there, which must not take the whole budget (DTLZ2)."""

    def circle(config):
        far = 1.0 + sum((config[f"x{i}"] - 0.5) ** 2 for i in range(1, 4))
        angle = config["x0"] * math.pi / 2
        return {"a": far * math.cos(angle), "b": far * math.sin(angle)}

    space = {f"x{i}": kt.space.uniform(0.0, 1.0) for i in range(4)}
    objectives = [kt.Objective("a", "min"), kt.Objective("b", "min")]
    found = kt.optimize(circle, space, objective=objectives, max_trials=40, seed=0, verbose=0)
    costs = np.array([trial.costs for trial in found.history.trials.values()])
    # The true front's is 1.21 minus a quarter of the unit circle.
    assert hypervolume(costs, np.array([1.1, 1.1])) > 0.85 * (1.21 - math.pi / 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"acquisition": "ucb"}, "acquisition='ucb' is of one objective"),
        (
            {"warm_start": [({"x": 0.5, "y": 0.5, "c": "p"}, 1.0)]},
            "does not say of which objective",
        ),
    ],
)
def test_arguments_of_one_objective_are_refused_before_the_first_trial(options, message):
    def never(config):
        raise AssertionError("called")

    with pytest.raises(InvalidInput, match=message):
        search(function=never, **options)
