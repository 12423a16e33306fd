"""Intervals over seeds, against scipy's own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from kerashpo.analysis.intervals import bootstrap, interval


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


@pytest.mark.parametrize("values", [[1.5, 1.5, 1.5], [1.0897, 1.0897 + 1e-15, 1.0897 - 1e-15]])
def test_equal_values_have_a_bootstrap_interval_of_no_width(values):
    """The last bits of a sum are no spread, and the bootstrap would warn of them."""
    found = bootstrap(values)
    assert found.low == found.high == pytest.approx(values[0])


def test_the_bootstrap_interval_holds_the_mean_and_leaves_nan_out():
    found = bootstrap([1.0, 2.0, 4.0, math.nan])
    assert found == bootstrap([1.0, 2.0, 4.0]) and found.low < 7 / 3 < found.high
    assert math.isnan(bootstrap([1.0]).low) and math.isnan(bootstrap([1.0, math.inf]).high)
