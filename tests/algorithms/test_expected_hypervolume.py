"""The expected hypervolume improvement against Monte Carlo, differences and limits."""

from __future__ import annotations

import numpy as np
import pytest

from kerashpo.algorithms.gp.expected_hypervolume import (
    Stripes,
    log_expected_hypervolume_improvement,
    log_expected_hypervolume_improvement_at,
    open_points,
)
from kerashpo.core.hypervolume import hypervolume
from kerashpo.core.pareto import non_dominated

REFERENCE = np.array([1.2, 1.1])


def random_front(seed, count=12):
    costs = np.random.default_rng(seed).random((count, 2))
    return costs[non_dominated(costs)]


def ehvi(mean, deviation, front, reference=REFERENCE):
    stripes = Stripes.of(front, reference)
    return np.exp(log_expected_hypervolume_improvement(mean, deviation, stripes)[0])


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_mean_improvement_of_draws(seed):
    rng, front = np.random.default_rng(seed), random_front(seed)
    mean, deviation = 0.5 * rng.random((1, 2)), 0.05 + 0.4 * rng.random((1, 2))
    before = hypervolume(front, REFERENCE)
    draws = mean + deviation * rng.standard_normal((4000, 2))
    gains = [hypervolume(np.vstack([front, row]), REFERENCE) - before for row in draws]
    error = np.std(gains) / np.sqrt(len(gains))
    assert ehvi(mean, deviation, front)[0] == pytest.approx(np.mean(gains), abs=4 * error)


def test_without_a_front_it_is_the_product_of_two_expected_improvements():
    from scipy.stats import norm

    mean, deviation = np.array([[0.3, 0.9]]), np.array([[0.2, 0.5]])
    z = (REFERENCE - mean) / deviation
    alone = deviation * (norm.pdf(z) + z * norm.cdf(z))
    found = ehvi(mean, deviation, np.empty((0, 2)))
    assert found[0] == pytest.approx(float(alone.prod()), rel=1e-12)


def test_a_certain_point_improves_by_its_hypervolume():
    front, point = random_front(1), np.array([[0.01, 0.02]])
    before = hypervolume(front, REFERENCE)
    after = hypervolume(np.vstack([front, point]), REFERENCE)
    assert ehvi(point, np.full((1, 2), 1e-9), front)[0] == pytest.approx(after - before, rel=1e-6)


def test_the_slopes_are_those_of_differences_also_far_from_any_improvement():
    front = random_front(2)
    rng = np.random.default_rng(5)
    mean = np.vstack([rng.random((6, 2)), [[8.0, 9.0], [40.0, 0.1]]])
    deviation = 0.1 + 0.3 * rng.random((8, 2))
    stripes = Stripes.of(front, REFERENCE)
    value, by_mean, by_deviation = log_expected_hypervolume_improvement(mean, deviation, stripes)
    assert np.isfinite(value).all()
    for k in range(2):
        step = np.zeros(2)
        step[k] = 1e-6
        for given, other, slopes in ((mean, deviation, by_mean), (deviation, mean, by_deviation)):
            swap = given is deviation
            ends = [
                log_expected_hypervolume_improvement(
                    *((other, given + s) if swap else (given + s, other)), stripes
                )[0]
                for s in (step, -step)
            ]
            np.testing.assert_allclose(slopes[:, k], (ends[0] - ends[1]) / 2e-6, rtol=2e-4)


def test_order_scale_and_shift_of_the_objectives_change_nothing():
    rng, front = np.random.default_rng(3), random_front(3)
    mean, deviation = rng.random((20, 2)), 0.1 + rng.random((20, 2))
    plain = ehvi(mean, deviation, front)
    turned = ehvi(mean[:, ::-1], deviation[:, ::-1], front[:, ::-1], REFERENCE[::-1])
    np.testing.assert_allclose(turned, plain, rtol=1e-9)
    scale, shift = np.array([50.0, 0.02]), np.array([-3.0, 900.0])
    moved = ehvi(
        mean * scale + shift, deviation * scale, front * scale + shift, REFERENCE * scale + shift
    )
    np.testing.assert_allclose(moved, plain, rtol=1e-6)


def test_quasi_monte_carlo_comes_to_the_exact_value_and_its_slopes_are_those_of_differences():
    rng, front = np.random.default_rng(4), random_front(4)
    mean, deviation = 0.6 * rng.random((6, 2)), 0.2 + 0.2 * rng.random((6, 2))
    low = np.full(2, -1.0)
    points = open_points(front, low, REFERENCE, 2048, rng)
    value, by_mean, by_deviation = log_expected_hypervolume_improvement_at(mean, deviation, points)
    volume = float(np.prod(REFERENCE - low)) / 2048
    np.testing.assert_allclose(np.exp(value) * volume, ehvi(mean, deviation, front), rtol=0.02)
    for k in range(2):
        step = np.zeros(2)
        step[k] = 1e-6
        for moves, slopes in (((step, 0.0), by_mean), ((0.0, step), by_deviation)):
            ends = [
                log_expected_hypervolume_improvement_at(
                    mean + sign * moves[0], deviation + sign * moves[1], points
                )[0]
                for sign in (1, -1)
            ]
            np.testing.assert_allclose(slopes[:, k], (ends[0] - ends[1]) / 2e-6, rtol=1e-4)


def test_open_points_are_those_that_the_front_does_not_dominate():
    front = np.random.default_rng(6).random((9, 3))
    rng = np.random.default_rng(7)
    points = open_points(front, np.zeros(3), np.ones(3), 100, rng)
    assert len(points) == 100
    assert not (front[None] <= points[:, None]).all(axis=2).any()


def test_rows_beyond_the_reference_do_not_count():
    front = np.array([[0.2, 0.8], [1.5, 0.1]])
    mean, deviation = np.array([[0.5, 0.5]]), np.array([[0.3, 0.3]])
    assert ehvi(mean, deviation, front)[0] == ehvi(mean, deviation, front[:1])[0]
