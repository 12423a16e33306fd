"""Targets: units, outliers, failures, extremes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerashpo.algorithms.gp import standardise as module


def targets_of(costs):
    return module.standardise(costs)[0]


COSTS = np.array([0.3, 0.1, 0.25, 0.2, 0.15, 0.22, 0.18])


def test_mean_and_spread():
    targets = targets_of(COSTS)
    assert targets.mean() == pytest.approx(0.0, abs=1e-12)
    assert targets.std() == pytest.approx(1.0)
    assert np.argsort(targets).tolist() == np.argsort(COSTS).tolist()


@pytest.mark.parametrize("scale, shift", [(1e-300, 0.0), (1e300, 0.0), (7.0, -3.0), (0.5, 100.0)])
def test_units_do_not_matter(scale, shift):
    np.testing.assert_allclose(targets_of(COSTS * scale + shift), targets_of(COSTS), atol=1e-9)


def test_the_bad_tail_is_cut_and_the_good_one_kept():
    bad = targets_of(np.append(COSTS, 1e6))
    worse = targets_of(np.append(COSTS, 1e9))
    np.testing.assert_allclose(bad, worse, atol=1e-9)
    good, better = targets_of(np.append(COSTS, -1.0)), targets_of(np.append(COSTS, -2.0))
    assert better[-1] < good[-1]


def test_failures_are_as_bad_as_the_worst():
    targets = targets_of(np.append(COSTS, [np.inf, np.inf]))
    assert targets[-1] == targets[-2] == targets.max() == targets[0]


def test_all_failed_explains_nothing():
    assert targets_of(np.array([np.inf, np.inf])).tolist() == [0.0, 0.0]


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=20))
def test_targets_are_always_finite(costs):
    assert np.isfinite(targets_of(np.array(costs))).all()


def test_units_lead_back():
    targets, units = module.standardise(COSTS)
    np.testing.assert_allclose(units.costs(targets), COSTS, atol=1e-12)
