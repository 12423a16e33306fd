"""The tree-structured Parzen estimator."""

import numpy as np
import pytest

from kerashpo.algorithms.evaluations import EvaluationReader
from kerashpo.algorithms.tpe import TPE, good_trials, good_weights, groups, split
from kerashpo.errors import InvalidInput, InvalidSpace
from kerashpo.space import Cube, Space, choice, integer, uniform, when
from kerashpo.testing.algorithm_driver import AlgorithmDriver

PLANE = Space({"x": uniform(0, 1), "y": uniform(0, 1)})
NESTED = Space(
    {
        "kind": choice(["a", "b"]),
        "lr": uniform(0, 1),
        **when("kind", "a", {"p": uniform(0, 1), "q": uniform(0, 1)}),
        **when("kind", "b", {"r": integer(1, 9)}),
    }
)


def bowl(config):
    return (config["x"] - 0.3) ** 2 + (config["y"] - 0.8) ** 2


def tree(config):
    if config["kind"] == "a":
        return (config["p"] - 0.2) ** 2 + (config["q"] - 0.9) ** 2 + (config["lr"] - 0.5) ** 2
    return 0.5 + abs(config["r"] - 3) / 10


def driver(space=PLANE, score=bowl, seed=0, **options):
    return AlgorithmDriver(lambda s, n: TPE(s, n, **options), space, seed, score=score)


def test_it_closes_in_on_the_optimum():
    for seed in range(3):
        values = [bowl(config) for config in driver(seed=seed).advance(60)]
        assert min(values[30:]) < 2e-3
        assert np.mean(values[40:]) < np.mean(values[:10]) / 3


def test_it_learns_the_branch_and_what_matters_in_it():
    for seed in range(3):
        late = driver(NESTED, tree, seed).advance(80)[50:]
        assert sum(config["kind"] == "a" for config in late) > 20
        assert min(map(tree, late)) < 0.05


def test_parameters_under_equal_conditions_form_a_group():
    cube = Cube(NESTED)
    names = [[cube.columns[i].name for i in group] for group in groups(cube)]
    assert names == [["kind", "lr"], ["p", "q"], ["r"]]


def test_failed_and_running_trials_are_among_the_bad_ones():
    study = driver()
    study.advance(20)
    failed = study.start()
    study.fail(failed)
    running = study.start()
    reader = EvaluationReader(Cube(PLANE))
    seen = reader.read(study.history)
    good, bad = split(seen, good_trials(seen, 0.1))
    best = sorted(range(20), key=lambda trial: bowl(study.configs[trial]))[:2]
    assert {tuple(row) for row in good} == {tuple(study.configs[t].values()) for t in best}
    assert len(bad) == 20
    assert tuple(bad[-2]) == tuple(study.configs[failed].values())
    assert tuple(bad[-1]) == tuple(study.configs[running].values())


def test_pending_trials_keep_others_away():
    """Eight proposals at once lie further apart than eight that do not know each other."""
    gaps = {}
    for liar in (True, False):
        study = driver()
        study.advance(25)
        rows = []
        for offset in range(8):
            if liar:
                trial = study.start()
                rows.append(study.configs[trial])
            else:
                rows.append(study.algorithm.ask(25 + offset, study.history))
        points = np.array([list(row.values()) for row in rows])
        gaps[liar] = np.linalg.norm(points[:, None] - points[None], axis=-1).sum()
    assert gaps[True] > gaps[False]


def test_a_prior_draws_the_search_to_it():
    def near(**options):
        configs = driver(score=lambda config: 0.0, num_initial_points=1, **options).advance(40)
        return np.mean([abs(config["x"] - 0.9) for config in configs[1:]])

    assert near(priors={"x": (0.9, 0.05)}, prior_weight=3.0) < 0.7 * near()
    space = Space({"kind": choice(["a", "b", "c"]), "x": uniform(0, 1)})
    study = driver(
        space, lambda config: 0.0, num_initial_points=1, prior_weight=5.0, priors={"kind": "c"}
    )
    kinds = [config["kind"] for config in study.advance(60)]
    assert kinds.count("c") > 30


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gamma": 1.0}, "gamma must be below 1"),
        ({"gamma": 0}, "gamma must be a finite number above 0"),
        ({"num_initial_points": 0}, "num_initial_points"),
        ({"num_candidates": 2.5}, "num_candidates"),
        ({"prior_weight": -1}, "prior_weight"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(InvalidInput, match=message):
        TPE(PLANE, 0, **options)


@pytest.mark.parametrize(
    ("priors", "message"),
    [
        ({"z": 0.5}, "no parameter 'z'"),
        ({"x": 2.0}, "'x' must be a value of the parameter"),
        ({"x": (0.5, 0.0)}, "positive spread"),
        ({"x": (0.5, "wide")}, "positive spread"),
    ],
)
def test_priors_that_the_space_does_not_hold_are_refused(priors, message):
    with pytest.raises(InvalidSpace, match=message):
        TPE(PLANE, 0, priors=priors)


def test_the_good_trials_of_two_objectives_are_the_front_and_what_covers_most_of_the_next():
    # The front is 0 and 1; of the next one, 2, 3 and 4, the middle covers most.
    costs = [(0, 4), (4, 0), (1, 9), (5, 5), (9, 1), (9, 9)]
    study = AlgorithmDriver(
        lambda *args: TPE(*args, num_initial_points=9),
        PLANE,
        score=lambda config: 0.0,
        others=(("other", "min"),),
    )
    for one, two in costs:
        study.finish(study.start(), {"value": float(one), "other": float(two)})
    seen = EvaluationReader(Cube(PLANE)).read(study.history)
    assert np.flatnonzero(good_trials(seen, 0.3)).tolist() == [0, 1]
    assert np.flatnonzero(good_trials(seen, 0.5)).tolist() == [0, 1, 3]
    # Of equal volumes beyond the other one.
    assert good_weights(np.array([[0.0, 4.0], [4.0, 0.0]])).tolist() == [1.0, 1.0]
    assert good_weights(np.array([[0.0, 4.0], [1.0, 1.0], [4.0, 0.0]]))[1] == 1.0
