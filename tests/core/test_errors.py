"""Checks of arguments, and messages that help."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kerashpo.core.errors import InvalidInput, nearest, require_integer, require_number, unknown


@pytest.mark.parametrize("value", [1, 7, np.int64(3)])
def test_whole_numbers_pass(value):
    checked = require_integer("trials", value, 1)
    assert checked == value
    assert type(checked) is int


@pytest.mark.parametrize("value", [0, -1, 1.0, "3", None, True, math.nan, np.array([1, 2])])
def test_what_is_no_whole_number(value):
    with pytest.raises(InvalidInput, match="trials must be a whole number of at least 1"):
        require_integer("trials", value, 1)


def test_a_reason_is_reported():
    with pytest.raises(InvalidInput, match=r"\(one is promoted\). Received: 1"):
        require_integer("factor", 1, 2, why="one is promoted")


@pytest.mark.parametrize("value", [0, 0.5, np.float32(2), 10**9])
def test_numbers_pass(value):
    checked = require_number("minutes", value, 0)
    assert checked == value
    assert type(checked) is float


@pytest.mark.parametrize("value", [-1e-9, math.nan, math.inf, -math.inf, "5", None, True, [1.0]])
def test_what_is_no_number(value):
    with pytest.raises(InvalidInput, match="minutes must be a finite number of at least 0"):
        require_number("minutes", value, 0)


def test_a_strict_bound_is_excluded():
    with pytest.raises(InvalidInput, match="minutes must be a finite number above 0"):
        require_number("minutes", 0.0, 0, strict=True)


def test_an_unknown_name_gets_the_nearest_one():
    error = unknown("tuner", "hyperbnad", ["hyperband", "random"])
    assert str(error) == (
        "Unknown tuner 'hyperbnad'. Did you mean 'hyperband'? Known: hyperband, random."
    )


def test_no_hint_where_nothing_is_near():
    assert nearest("xyzzy", ["hyperband", "random"]) == ""
