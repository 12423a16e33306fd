"""What holds for every space, on random ones: nested conditions, single values, all kinds."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerashpo.space import Condition, Cube, Param, Space, integer, uniform
from kerashpo.space.domains import Boolean, Choice, Domain, Fixed, Float, Integer
from kerashpo.space.space import key

DOMAINS: list[Domain] = [
    Float(0.0, 1.0),
    Float(1e-4, 1.0, None, "log"),
    Float(0.0, 0.5, 0.1),
    Float(2.0, 2.0),
    Integer(1, 4),
    Integer(1, 64, None, "log"),
    Integer(1, 64, 2, "log"),
    Integer(0, 100_000),
    Choice(("a", "b", "c")),
    Choice((8, 16, 32), ordered=True),
    Choice(((1,), (2, 3))),
    Choice(("only",)),
    Boolean(),
    Fixed("x"),
    Fixed(3),
]
"""Every kind; those with one value are parents as well."""


@st.composite
def _spaces(draw) -> Space:
    params: list[Param] = []
    for index in range(draw(st.integers(1, 6))):
        parents = [p for p in params if 0 < p.domain.levels <= 4]
        chosen = draw(st.lists(st.sampled_from(parents), max_size=2)) if parents else []
        conditions = tuple(
            Condition(name, tuple(_some_values(draw, next(p for p in parents if p.name == name))))
            for name in sorted({parent.name for parent in chosen})
        )
        params.append(Param(f"p{index}", draw(st.sampled_from(DOMAINS)), conditions))
    return Space.of(params)


def _some_values(draw, parent: Param) -> list[object]:
    n = parent.domain.levels
    values = [parent.domain.at((i + 0.5) / n) for i in range(n)]
    return draw(st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True))


SPACES = _spaces()

seeds = st.integers(0, 2**32 - 1)


def sample(space, seed):
    return space.sample(np.random.default_rng(seed))


@given(SPACES, seeds)
def test_samples_lie_in_the_space(space, seed):
    assert sample(space, seed) in space


@given(SPACES)
def test_the_default_lies_in_the_space(space):
    assert space.default() in space


@given(SPACES)
def test_json_comes_back(space):
    text = json.dumps(space.to_json())
    again = Space.from_json(json.loads(text))
    assert again.to_json() == space.to_json()
    assert again.fingerprint == space.fingerprint
    assert again.size == space.size
    assert again.default() == space.default()


@given(SPACES, seeds)
def test_configurations_survive_json(space, seed):
    config = sample(space, seed)
    assert json.loads(json.dumps(config)) in space


@given(SPACES)
def test_a_finite_space_is_enumerated_once(space):
    if space.size > 2000:
        return
    configs = list(space.configs())
    assert len(configs) == space.size == len({key(config) for config in configs})
    assert all(config in space for config in configs)


@given(SPACES, seeds)
def test_the_cube_encodes_and_decodes(space, seed):
    cube, config = Cube(space), sample(space, seed)
    row = cube.encode(config)
    assert ((row >= 0) & (row <= 1) | np.isnan(row)).all()
    assert _close(cube.decode(row), config)


@given(SPACES, seeds)
def test_snapped_rows_are_encoded_configurations(space, seed):
    cube, rng = Cube(space), np.random.default_rng(seed)
    rows = rng.random((8, cube.dim))
    rows[rng.random(rows.shape) < 0.3] = np.nan
    for row in cube.snap(rows, rng):
        config = cube.decode(row)
        assert config in space
        np.testing.assert_allclose(cube.encode(config), row, atol=1e-9)


@given(SPACES, seeds)
def test_snapping_twice_changes_nothing(space, seed):
    cube = Cube(space)
    rows = cube.snap(np.random.default_rng(seed).random((8, cube.dim)))
    np.testing.assert_allclose(cube.snap(rows), rows, atol=1e-12)


@given(SPACES, seeds)
def test_rows_have_equal_keys_where_configurations_are_equal(space, seed):
    cube = Cube(space)
    rows = cube.snap(np.random.default_rng(seed).random((32, cube.dim)))
    keys = {cube.key(row) for row in rows}
    assert len(keys) == len({key(cube.decode(row)) for row in rows})


@given(SPACES)
def test_the_parents_of_a_column_decide_about_it(space):
    cube = Cube(space)
    gated = [bool(param.conditions) for param in cube.columns]
    assert all(has or not parents for has, parents in zip(gated, cube.parents))


def _close(one, other):
    return one.keys() == other.keys() and all(
        math.isclose(one[name], value, rel_tol=1e-9)
        if isinstance(value, float)
        else one[name] == value
        for name, value in other.items()
    )


def test_a_missing_value_without_a_generator_is_the_middle():
    cube = Cube(Space({"x": uniform(0, 1), "n": integer(1, 3)}))
    row = cube.snap(np.full((1, 2), np.nan))[0]
    assert cube.decode(row) == {"x": pytest.approx(0.5), "n": 2}
