"""``warm_start=`` with several objectives: fronts, shared objectives, transfer for each."""

from __future__ import annotations

import math

import numpy as np
import pytest

import kerashpo as kt
from kerashpo.algorithms.earlier_studies import EarlierStudy, best_first
from kerashpo.core.errors import InvalidInput
from kerashpo.core.hypervolume import hypervolume
from kerashpo.core.records import Objective
from kerashpo.experience.warm_start import read_warm_start
from tests.helpers.small_models import DATA, build_few, place

SPACE = kt.Space({f"x{i}": kt.space.uniform(0.0, 1.0) for i in range(4)})
BOTH = [Objective("a", "min"), Objective("b", "min")]


def circle(config, middle=0.6):
    far = 1.0 + 3.0 * sum((config[f"x{i}"] - middle) ** 2 for i in range(1, 4))
    angle = config["x0"] * math.pi / 2
    return {"a": far * math.cos(angle), "b": far * math.sin(angle)}


def search(fn=circle, **more):
    given = {"max_trials": 12, "seed": 0, "verbose": 0, "objective": BOTH, **more}
    return kt.optimize(fn, SPACE, **given)


@pytest.fixture(scope="module")
def earlier():
    return search(max_trials=30, seed=5)


def configs(results):
    return [dict(t.config) for t in results.history.trials.values()]


def test_the_knee_and_then_the_ends_of_each_front_come_first():
    one = EarlierStudy(
        (
            ({"x": 0}, (0.0, 1.0)),
            ({"x": 1}, (0.2, 0.2)),
            ({"x": 2}, (1.0, 0.0)),
            ({"x": 3}, (2.0, 2.0)),
        )
    )
    two = EarlierStudy((({"x": 4}, (5.0, None)), ({"x": 5}, (4.0, None))))
    assert [c["x"] for c in best_first([one, two], BOTH)] == [1, 5, 0, 2]
    upwards = [BOTH[0], Objective("b", "max")]
    assert next(c["x"] for c in best_first([one], upwards)) in (0, 3)
    with pytest.raises(InvalidInput, match=r"one value for each objective \(a, b\)"):
        best_first([EarlierStudy((({"x": 1}, 1.0),))], BOTH)


@pytest.mark.parametrize("algorithm", ["bayesian", "nsga2", "tpe", "random", "auto"])
def test_every_algorithm_begins_with_the_front_of_the_earlier_study(earlier, algorithm):
    found = search(algorithm=algorithm, warm_start=[earlier], max_trials=5)
    front = [dict(earlier.history.trials[n].config) for n in earlier.history.front()]
    tried = configs(found)
    assert tried[0] == dict(earlier.best.config)
    assert tried[1] in front and tried[2] in front and tried[3] not in front
    costs = [earlier.history.costs(n) for n in earlier.history.front()]
    begun = [found.history.costs(n) for n in (1, 2)]
    assert np.min(begun, axis=0) == pytest.approx(np.min(costs, axis=0))


def test_an_earlier_study_finds_the_front_of_a_similar_problem_sooner(earlier):
    def similar(config):
        return circle(config, 0.65)

    reference, warm, cold = np.array([1.5, 1.5]), [], []
    for seed in range(2):
        for group, sources in ((warm, [earlier]), (cold, [])):
            found = search(similar, warm_start=sources, max_trials=10, seed=seed)
            trials = found.history.trials.values()
            group.append(hypervolume(np.array([t.costs for t in trials]), reference))
    assert np.mean(warm) > 1.2 * np.mean(cold)


def test_a_study_of_one_objective_counts_for_it_alone():
    alone = kt.optimize(
        lambda c: circle(c)["b"], SPACE, metric="b", max_trials=8, seed=1, verbose=0
    )
    (source,) = read_warm_start(alone, SPACE, BOTH)
    assert [v for _, v in source.pairs] == [(None, t.score) for t in alone.history.trials.values()]
    assert configs(search(warm_start=alone))[0] == dict(alone.best.config)
    with pytest.raises(InvalidInput, match=r"searched for b \(min\), not for a \(min\) and c"):
        read_warm_start(alone, SPACE, [BOTH[0], Objective("c", "min")])


def test_a_study_of_several_objectives_counts_for_a_search_of_one(earlier):
    (source,) = read_warm_start(earlier, SPACE, BOTH[1:])
    values = [t.values["b"] for t in earlier.history.trials.values()]
    assert [v for _, v in source.pairs] == values
    found = kt.optimize(
        lambda c: circle(c)["b"],
        SPACE,
        metric="b",
        max_trials=2,
        seed=1,
        verbose=0,
        warm_start=earlier,
    )
    assert found.history.trials[0].score == min(values)


def test_names_and_directions_are_declared_for_each_objective(earlier):
    new = [Objective("accuracy", "max"), Objective("b", "min")]
    mapped = {"study": earlier, "objective": {"accuracy": "a"}}
    (source,) = read_warm_start(mapped, SPACE, new)
    expected = [(-t.values["a"], t.values["b"]) for t in earlier.history.trials.values()]
    assert [v for _, v in source.pairs] == expected
    with pytest.raises(InvalidInput, match=r"not for b \(max\)"):
        read_warm_start(earlier, SPACE, [BOTH[0], Objective("b", "max")])
    for wrong in ("a", {"c": "a"}, 3):
        with pytest.raises(InvalidInput, match="'objective' must be"):
            read_warm_start({"study": earlier, "objective": wrong}, SPACE, new)
    with pytest.raises(InvalidInput, match=r"searched for a \(min\), b \(min\), not for z"):
        read_warm_start({"study": earlier, "objective": {"accuracy": "z"}}, SPACE, new)


def test_pairs_name_their_objectives():
    x = {f"x{i}": 0.5 for i in range(4)}
    given = [(x, {"a": 1.0, "b": np.float32(2.0), "more": 5.0}), (x, {"a": 3.0})]
    (source,) = read_warm_start(given, SPACE, BOTH)
    assert [v for _, v in source.pairs] == [(1.0, 2.0), (3.0, None)]
    (single,) = read_warm_start(given, SPACE, BOTH[1:])
    assert [v for _, v in single.pairs] == [2.0]
    # A configuration without an objective that the others have cannot be compared.
    assert configs(search(warm_start=given, max_trials=2))[0] == x
    with pytest.raises(InvalidInput, match="does not say of which objective"):
        read_warm_start([(x, 1.0)], SPACE, BOTH)
    with pytest.raises(InvalidInput, match="mixes"):
        read_warm_start([(x, 1.0), (x, {"a": 1.0})], SPACE, BOTH)


def test_a_resumed_search_with_a_partial_source_goes_on(earlier, tmp_path):
    alone = [(dict(t.config), {"b": t.values["b"]}) for t in earlier.history.trials.values()]
    given = {"warm_start": [earlier, alone]}
    whole = configs(search(max_trials=9, **given))
    search(max_trials=4, directory=tmp_path / "s", **given)
    assert configs(search(max_trials=9, directory=tmp_path / "s", **given)) == whole


def test_limits_and_failures_of_several_objectives_with_a_warm_start(earlier):
    def sometimes(config):
        if config["x1"] < 0.3:
            raise ValueError("too low")
        return {**circle(config), "latency": config["x2"]}

    found = search(sometimes, warm_start=[earlier], limits={"latency": 0.7}, max_trials=10)
    assert len(found.history.trials) == 10
    assert all(found.history.trials[n].config["x2"] <= 0.7 for n in found.history.front())


def test_a_tuner_of_several_objectives_takes_it(tmp_path):
    pairs = [
        ({"units": 12, "rate": 1e-2}, {"val_loss": 0.1, "size": 90.0}),
        ({"units": 4, "rate": 1e-3}, {"val_loss": 0.9, "size": 30.0}),
        ({"units": 8, "rate": 1e-3}, {"val_loss": 0.95, "size": 95.0}),
    ]
    tuner = kt.BayesianOptimization(
        build_few,
        **{**place(tmp_path), "objective": ["val_loss", "size"]},
        warm_start=pairs,
        max_trials=3,
    )
    tuner.search(**DATA)
    tried = [t.config["units"] for t in tuner.results.history.trials.values()]
    assert sorted(tried[:2]) == [4, 12]
