"""The grid's walk, and the oracle that takes it."""

from __future__ import annotations

import keras_tuner
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashpo.oracles import GridSearchOracle
from kerashpo.oracles.grid import grid_values, position, successor
from kerashpo.space.domains import Boolean, Choice, Float, Integer
from kerashpo.space.params import Condition, Param
from kerashpo.space.space import Space
from tests.helpers.oracle_driver import drive, end, place, space

domains = st.one_of(
    st.builds(lambda n, d: Integer(1, n, preset=min(d, n)), st.integers(1, 4), st.integers(1, 4)),
    st.builds(lambda n: Choice(tuple("abcd"[:n])), st.integers(1, 4)),
    st.builds(Boolean, st.booleans()),
)


@st.composite
def spaces(draw):
    params = [Param("p0", Boolean())]
    for index in range(1, draw(st.integers(1, 4))):
        when = (Condition("p0", (draw(st.booleans()),)),) if draw(st.booleans()) else ()
        params.append(Param(f"p{index}", draw(domains), when))
    return Space.of(params)


@settings(max_examples=50, deadline=None)
@given(spaces())
def test_the_walk_meets_every_configuration_once_in_order(some):
    config, seen = some.default(), []
    while config is not None:
        seen.append(config)
        config = successor(some, config)
    places = [position(some, one) for one in seen]
    assert places == sorted(set(places))
    assert len(seen) == some.size
    assert all(one in some for one in seen)


def test_the_default_comes_first():
    assert grid_values(Choice(("x", "y", "z"), preset="y")) == ["y", "x", "z"]
    assert grid_values(Float(1.0, 2.0, preset=1.0))[:2] == [1.0, 1.05]


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_resume_finds_all_six(tmp_path, cut):
    hp = keras_tuner.HyperParameters()
    hp.Choice("a", [1, 2, 3])
    hp.Boolean("b")
    objective = keras_tuner.Objective("score", "max")
    first = place(GridSearchOracle(objective, hyperparameters=hp), tmp_path)
    proposed = drive(first, cut)
    second = place(GridSearchOracle(objective), tmp_path)
    second.reload()
    proposed += drive(second)
    assert len({tuple(one.items()) for one in proposed}) == len(proposed) == 6


def test_a_second_worker_waits_for_what_may_be_discovered(tmp_path):
    oracle = place(GridSearchOracle(keras_tuner.Objective("score", "max")), tmp_path)
    trial = oracle.create_trial("a")
    assert oracle.create_trial("b").status == "IDLE"
    trial.hyperparameters.Boolean("late")
    end(oracle, trial, 1.0)
    assert oracle.create_trial("b").hyperparameters.values == {"late": True}


def test_max_trials_bounds_the_grid(tmp_path):
    oracle = GridSearchOracle(keras_tuner.Objective("score", "max"), 4, hyperparameters=space())
    assert len(drive(place(oracle, tmp_path))) == 4
