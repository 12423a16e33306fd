"""Fronts of several searches: steps, hypervolumes on one scale, median attainment."""

from __future__ import annotations

import itertools

import moocore
import numpy as np
import pytest

import kerashpo as kt
from kerashpo.analysis.fronts import Scale, attainment, front_steps, rows
from kerashpo.analysis.pareto import tradeoff
from kerashpo.core.records import Objective

BOTH = (Objective("accuracy", "max"), Objective("size", "min"))


def test_the_share_is_the_hypervolume_in_the_box_and_no_unit_matters():
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.uniform(0.5, 1.0, 30), rng.uniform(100, 9000, 30)])
    scale = Scale.around(BOTH, values)
    worst, best = values[:, 0].min(), values[:, 0].max()
    assert scale.ideal == pytest.approx((best, values[:, 1].min()))
    assert scale.reference[0] == pytest.approx(worst - 0.1 * (best - worst))
    costs = values * [-1, 1]
    box = np.prod(np.abs(np.subtract(scale.reference, scale.ideal)))
    expected = moocore.hypervolume(costs, ref=np.array(scale.reference) * [-1, 1]) / box
    assert scale.share(values) == pytest.approx(expected)
    other = values * [100, 0.001]
    assert Scale.around(BOTH, other).share(other) == pytest.approx(expected)
    # The ends of a front count, and a point beyond the ideal does not exceed the box.
    assert scale.share(values[[values[:, 0].argmin()]]) > 0.0
    assert scale.share(np.array([[2.0, 0.0]])) == pytest.approx(1.0)
    assert scale.share(np.empty((0, 2))) == 0.0


def test_an_objective_without_a_range_changes_nothing():
    values = np.array([[0.5, 7.0], [0.9, 7.0]])
    scale = Scale.around(BOTH, values)
    assert scale.share(values) == pytest.approx(1.0)
    assert scale.share(values[:1]) == pytest.approx(0.1 / 1.1)


def test_values_that_are_missing_or_infinite_are_no_points():
    points = [{"accuracy": 0.5, "size": 3.0}, {"accuracy": 0.7}, {"accuracy": np.inf, "size": 1.0}]
    assert rows(points, BOTH).tolist() == [[0.5, 3.0]]


def test_half_of_the_fronts_attain_every_point_of_the_curve_and_none_beyond_it():
    rng = np.random.default_rng(1)
    fronts = [np.column_stack([rng.uniform(0, 1, 6), rng.uniform(10, 99, 6)]) for _ in range(5)]

    def attained(point):
        return sum(bool(((f[:, 0] >= point[0]) & (f[:, 1] <= point[1])).any()) for f in fronts)

    curve = attainment(fronts, BOTH)
    assert len(curve) > 2 and (np.diff(curve[:, 0]) < 0).all() and (np.diff(curve[:, 1]) < 0).all()
    for accuracy, size in curve:
        assert attained((accuracy, size)) >= 3
        assert attained((accuracy, size - 1e-6)) < 3 and attained((accuracy + 1e-6, size)) < 3
    # Everything that half of them attain is attained by the curve.
    grid = itertools.product(np.unique(np.concatenate(fronts)[:, 0]), np.arange(10, 99, 7))
    for point in grid:
        reached = bool(((curve[:, 0] >= point[0]) & (curve[:, 1] <= point[1])).any())
        assert reached == (attained(point) >= 3)


def test_the_last_values_of_each_trial_are_those_of_its_best_epoch():
    def train(config):
        if config["x"] > 4:
            raise ValueError("diverged")
        return {"f1": config["x"] ** 2, "f2": (config["x"] - 2) ** 2}

    objectives = [kt.Objective("f1", "min"), kt.Objective("f2", "max")]
    space = {"x": kt.space.uniform(-5, 5)}
    found = kt.optimize(
        train, space, objective=objectives, algorithm="random", max_trials=12, seed=0, verbose=0,
        limits={kt.Objective("f1", "min"): 16.0},
    )  # fmt: skip
    history = found.history
    steps = front_steps(history, objectives)
    whole = tradeoff(history)
    assert {step.trial for step in steps} == set(whole.trials[whole.feasible].tolist())
    assert 0 < len(steps) < 12  # failed and infeasible trials are none
    for step in steps:
        place = whole.trials.tolist().index(step.trial)
        assert step.values == pytest.approx(tuple(whole.values[place]))
    assert [step.epochs for step in steps] == sorted(step.epochs for step in steps)
    (turned,) = {step.values[::-1] for step in front_steps(history, objectives[::-1])[:1]}
    assert turned == steps[0].values
