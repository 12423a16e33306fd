"""A score of 0 of an objective that is maximised is 0, not -0."""

from __future__ import annotations

import math

import kerashpo as kt


def test_zero_has_no_sign():
    space = {"x": kt.space.choice([1, 2])}
    given = {"max_trials": 1, "seed": 0, "verbose": 0}
    one = kt.optimize(lambda c: 0.0, space, direction="max", **given)
    assert math.copysign(1.0, one.best.score) == 1.0
    both = [kt.Objective("a", "max"), kt.Objective("b", "min")]
    several = kt.optimize(lambda c: {"a": 0.0, "b": 0.0}, space, objective=both, **given)
    values = several.history.trials[0].values.values()
    assert all(math.copysign(1.0, value) == 1.0 for value in values)
