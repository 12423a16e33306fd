"""Hypervolumes against moocore, and their definition."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from kerashpo.core.hypervolume import contributions, hypervolume, largest_subset


def volume_by_inclusion_and_exclusion(costs, reference):
    """The union of the boxes between each row and the reference, from all of their overlaps."""
    total = 0.0
    for size in range(1, len(costs) + 1):
        for some in combinations(costs, size):
            sides = np.maximum(reference - np.max(some, axis=0), 0.0)
            total -= (-1) ** size * float(np.prod(sides))
    return total


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_the_hypervolume_is_the_union_of_boxes(objectives):
    rng = np.random.default_rng(objectives)
    for _ in range(5):
        costs = np.vstack([rng.random((9, objectives)), np.round(rng.random((2, objectives)))])
        reference = np.full(objectives, 0.9)
        expected = volume_by_inclusion_and_exclusion(costs, reference)
        assert hypervolume(costs, reference) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("objectives", [2, 3, 4])
@pytest.mark.parametrize("seed", range(4))
def test_the_hypervolume_is_that_of_moocore(objectives, seed):
    moocore = pytest.importorskip("moocore")
    rng = np.random.default_rng(seed)
    costs = rng.normal(size=(25, objectives))
    costs = np.vstack([costs, np.round(costs[:9]), costs[:3]])
    reference = np.full(objectives, 1.5)
    assert hypervolume(costs, reference) == pytest.approx(
        moocore.hypervolume(costs, ref=reference), rel=1e-9
    )


def test_one_objective_and_nothing():
    assert hypervolume(np.array([[3.0], [1.0]]), np.array([4.0])) == 3.0
    assert hypervolume(np.empty((0, 2)), np.ones(2)) == 0.0
    assert hypervolume(np.array([[1.0, 0.0], [0.0, 2.0]]), np.ones(2)) == 0.0


@pytest.mark.parametrize("objectives", [2, 3])
def test_contributions_are_what_each_row_adds(objectives):
    rng = np.random.default_rng(1)
    costs = rng.random((9, objectives))
    reference = np.ones(objectives)
    found = contributions(costs, reference)
    rows = np.arange(9)
    volumes = [hypervolume(costs[rows != row], reference) for row in rows]
    expected = hypervolume(costs, reference) - np.array(volumes)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert (found > 0).any()
    assert (found == 0).any()


def test_a_subset_chosen_one_by_one_is_nearly_the_best():
    rng = np.random.default_rng(2)
    for _ in range(5):
        costs, reference = rng.random((9, 2)), np.ones(2)
        chosen = largest_subset(costs, reference, 3)
        volumes = [hypervolume(costs[[*c]], reference) for c in combinations(range(9), 3)]
        assert len({*chosen.tolist()}) == 3
        assert hypervolume(costs[chosen], reference) >= (1 - 1 / np.e) * max(volumes)
        alone = [hypervolume(costs[[row]], reference) for row in range(9)]
        assert chosen[0] == int(np.argmax(alone))
