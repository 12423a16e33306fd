"""NSGA-II: what it finds, its operators, its bad input."""

from __future__ import annotations

import numpy as np
import pytest

import kerashpo as kt
from kerashpo.algorithms.nsga2 import NSGA2
from kerashpo.core.errors import InvalidInput
from kerashpo.core.hypervolume import hypervolume
from kerashpo.space import Space, choice, integer, uniform

PLANE = Space({f"x{i}": uniform(0.0, 1.0) for i in range(6)})
TWO = [kt.Objective("f1", "min"), kt.Objective("f2", "min")]


def zdt1(config):
    first, *rest = config.values()
    g = 1 + 9 * sum(rest) / len(rest)
    return {"f1": first, "f2": g * (1 - np.sqrt(first / g))}


def volume(algorithm, seed, **options):
    results = kt.optimize(
        zdt1,
        PLANE,
        objective=TWO,
        algorithm=algorithm,
        max_trials=80,
        seed=seed,
        verbose=0,
        **options,
    )
    costs = np.array([trial.costs for trial in results.history.trials.values()])
    return hypervolume(costs, np.array([1.1, 5.0]))


def test_it_beats_random_search_on_zdt1():
    ours, random = ([volume(name, seed) for seed in range(2)] for name in ("nsga2", "random"))
    assert min(ours) > max(random)


def test_children_stay_in_the_cube_and_near_their_parents():
    space = Space({"a": uniform(0, 1), "b": integer(1, 9), "c": choice(["p", "q", "r"])})
    algorithm = NSGA2(space, 0, mutation=0.0)
    parents = algorithm._cube.snap(np.array([[0.4, 0.5, 0.1], [0.6, 0.9, 0.9]]))
    rng = np.random.default_rng(0)
    children = np.array([algorithm._child(parents, rng) for _ in range(400)])
    assert ((children >= 0) & (children <= 1)).all()
    # One value mutates where crossover changes nothing; else numbers stay close to the parents.
    near = (children[:, 0] > 0.3) & (children[:, 0] < 0.7)
    assert near.mean() > 0.9
    assert {*np.floor(children[:, 2] * 3)} == {0.0, 1.0, 2.0}
    assert not (children[:, None] == parents).all(axis=2).any()


def test_every_discrete_value_that_mutates_changes():
    space = Space({"b": integer(1, 9), "c": integer(1, 3)})
    algorithm = NSGA2(space, 0)
    row = algorithm._cube.snap(np.array([[0.5, 0.5]]))[0]
    rng = np.random.default_rng(1)
    moved = algorithm._cube.snap([algorithm._mutated(row, rng) for _ in range(200)])
    assert (moved != row).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"population_size": 3}, "population_size.*at least 4.*3"),
        ({"crossover": 1.5}, "crossover is a probability.*1.5"),
        ({"mutation": -0.1}, "mutation.*-0.1"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(InvalidInput, match=message):
        NSGA2(PLANE, 0, **options)
