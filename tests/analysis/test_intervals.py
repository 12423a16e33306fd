"""Intervals over seeds, against scipy's own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from kerashpo.analysis.intervals import interval


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("n", [2, 3, 5, 30])
def test_the_interval_is_students(n, level):
    values = np.random.default_rng(n).normal(size=n)
    low, high = stats.t.interval(level, n - 1, values.mean(), stats.sem(values))
    found = interval(values.tolist(), level)
    assert (found.low, found.high, found.n) == (pytest.approx(low), pytest.approx(high), n)


def test_missing_values_are_left_out():
    assert interval([1.0, math.nan, 3.0]) == interval([1.0, 3.0])


def test_one_value_has_no_interval():
    found = interval([2.0])
    assert (found.mean, found.n) == (2.0, 1)
    assert math.isnan(found.half)


def test_no_value_has_no_mean():
    found = interval([math.nan])
    assert found.n == 0
    assert math.isnan(found.mean)
