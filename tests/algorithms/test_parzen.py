"""Parzen estimators against scipy's distributions."""

import numpy as np
import pytest
from scipy import stats

from kerashpo.algorithms.parzen import Parzen, Prior, age_weights
from kerashpo.space import Cube, Space, boolean, choice, integer, loguniform, uniform

SPACE = Space(
    {
        "x": uniform(0, 1),
        "units": integer(1, 5),
        "width": integer(16, 256, log=True),
        "kind": choice(["a", "b", "c"]),
        "lr": loguniform(1e-4, 1e-1),
        "norm": boolean(),
    }
)
CUBE = Cube(SPACE)


def rows(count, seed=0):
    rng = np.random.default_rng(seed)
    return CUBE.snap(rng.random((count, CUBE.dim)))


def estimator(observed, columns=range(CUBE.dim), priors=None, prior_weight=1.0):
    columns = np.array(columns)
    priors = priors or [Prior() for _ in columns]
    weights = age_weights(len(observed))
    return Parzen.of(observed, CUBE, columns, weights, priors, prior_weight)


def widths(centres):
    """The bandwidths by their definition, one observation at a time."""
    out = []
    n = len(centres)
    for i, centre in enumerate(centres):
        others = np.delete(centres, i)
        below, above = others[others <= centre], others[others > centre]
        # Of equal observations one counts as the neighbour of the other.
        left = centre - below.max() if len(below) else (centre if n == 1 else 0.0)
        right = above.min() - centre if len(above) else (1 - centre if n == 1 else 0.0)
        out.append(np.clip(max(left, right), 1 / min(100, n + 2), 1.0))
    return np.array(out)


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_continuous_densities_are_scipys_truncated_normals(count):
    observed = np.random.default_rng(count).random((count, CUBE.dim))
    points = np.linspace(0.0, 1.0, 21)
    centres, spreads = np.append(observed[:, 0], 0.5), np.append(widths(observed[:, 0]), 1.0)
    weights = np.append(age_weights(count), 1.0)
    expected = sum(
        w * stats.truncnorm.pdf(points, -m / s, (1 - m) / s, m, s)
        for m, s, w in zip(centres, spreads, weights / weights.sum())
    )
    found = estimator(observed, [0]).logpdf(points[:, None])
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-9)


@pytest.mark.parametrize("column", [1, 2])
def test_discrete_masses_are_scipys_between_the_edges_of_the_cells(column):
    observed = rows(8)
    grid = CUBE.grids[column]
    edges = np.concatenate([[0.0], (grid[1:] + grid[:-1]) / 2, [1.0]])
    kernels = estimator(observed, [column]).columns[0]
    normal = stats.truncnorm(
        -kernels.centres / kernels.widths,
        (1 - kernels.centres) / kernels.widths,
        kernels.centres,
        kernels.widths,
    )
    found = np.exp(kernels.logpdf(grid))
    expected = np.diff(normal.cdf(edges[:, None]), axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(found.sum(axis=0), 1.0)


def test_masses_far_in_a_tail_do_not_cancel():
    kernels = estimator(np.full((200, CUBE.dim), 0.003), [0]).columns[0]
    wide = stats.norm.logsf(0.9 / 0.01)  # 90 deviations: its mass is not a double
    found = kernels.logpdf(np.array([0.95]))[0, 0]
    assert np.isfinite(found)
    assert found == pytest.approx(wide, rel=0.2)


def test_categories_have_the_mass_of_their_observations_and_the_prior():
    observed = rows(4)
    observed[:, 3] = (np.array([0, 0, 2, 1]) + 0.5) / 3
    found = np.exp(estimator(observed, [3]).logpdf((np.arange(3)[:, None] + 0.5) / 3))
    # Each of five kernels: a fifth of the prior on every value, and 1 on its own.
    kernels = np.full((5, 3), 0.2)
    kernels[[0, 1, 2, 3], [0, 0, 2, 1]] += 1.0
    kernels /= kernels.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, kernels.mean(axis=0))
    assert found.sum() == pytest.approx(1.0)


def test_a_joint_density_is_the_mixture_of_the_products():
    observed, points = rows(6), rows(9, seed=1)
    joint = estimator(observed)
    one = [np.exp(c.logpdf(points[:, i])) for i, c in enumerate(joint.columns)]
    expected = np.prod(one, axis=0) @ joint.weights
    np.testing.assert_allclose(np.exp(joint.logpdf(points)), expected)


def test_without_observations_it_is_the_prior():
    empty = np.empty((0, CUBE.dim))
    prior = Prior(0.2, 0.1)
    found = np.exp(estimator(empty, [0], [prior]).logpdf(np.array([[0.2], [0.9]])))
    expected = stats.truncnorm.pdf([0.2, 0.9], -2.0, 8.0, 0.2, 0.1)
    np.testing.assert_allclose(found, expected)
    shares = np.exp(estimator(empty, [3], [Prior(0.5, 0.2, 0.4)]).logpdf(_centres(3)))
    np.testing.assert_allclose(shares, [0.2, 0.6, 0.2])


@pytest.mark.parametrize("column", range(CUBE.dim))
def test_draws_follow_the_density(column):
    observed = rows(6)
    mixture = estimator(observed, [column])
    drawn = mixture.sample(4000, np.random.default_rng(3)).ravel()
    grid = CUBE.grids[column]
    if grid is None:
        ends = np.linspace(0.0, 1.0, 4001)
        density = np.exp(mixture.logpdf(((ends[1:] + ends[:-1]) / 2)[:, None]))
        cdf = np.append(0.0, np.cumsum(density) / 4000)
        assert cdf[-1] == pytest.approx(1.0, abs=1e-3)
        assert stats.kstest(drawn, lambda u: np.interp(u, ends, cdf)).pvalue > 1e-3
        return
    masses = np.exp(mixture.logpdf(grid[:, None]))
    assert masses.sum() == pytest.approx(1.0)
    counts = (np.abs(drawn[:, None] - grid) < 1e-9).sum(axis=0)
    assert counts.sum() == len(drawn)  # nothing between the values
    often = masses * len(drawn) >= 5
    expected = np.append(masses[often], masses[~often].sum()) * len(drawn)
    seen = np.append(counts[often], counts[~often].sum())
    keep = expected > 0
    statistic = ((seen - expected)[keep] ** 2 / expected[keep]).sum()
    assert stats.chi2.sf(statistic, keep.sum() - 1) > 1e-3


def test_old_observations_count_less():
    assert age_weights(25).tolist() == [1.0] * 25
    weights = age_weights(100)
    assert weights[0] == pytest.approx(0.01)
    assert (np.diff(weights) >= 0).all()
    assert weights[-25:].tolist() == [1.0] * 25
    assert len(age_weights(0)) == 0


def _centres(levels):
    return (np.arange(levels)[:, None] + 0.5) / levels
