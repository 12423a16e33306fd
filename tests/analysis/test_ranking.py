"""Ranks and tests, against scipy and R."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from kerashpo.analysis.intervals import bootstrap
from kerashpo.analysis.ranking import friedman, holm, rank_methods, signed_rank
from kerashpo.core.errors import InvalidInput

# M. Hollander and D. A. Wolfe (1973), p. 140: seconds of 22 players to second base by three
# ways to run; R's help of friedman.test has them with chi-squared 11.143 and p 0.003805.
BASES = {
    "round out": [
        5.40, 5.85, 5.20, 5.55, 5.90, 5.45, 5.40, 5.45, 5.25, 5.85, 5.25,
        5.65, 5.60, 5.05, 5.50, 5.45, 5.55, 5.45, 5.50, 5.65, 5.70, 6.30,
    ],
    "narrow angle": [
        5.50, 5.70, 5.60, 5.50, 5.85, 5.55, 5.40, 5.50, 5.15, 5.80, 5.20,
        5.55, 5.35, 5.00, 5.50, 5.55, 5.55, 5.50, 5.45, 5.60, 5.65, 6.30,
    ],
    "wide angle": [
        5.55, 5.75, 5.50, 5.40, 5.70, 5.60, 5.35, 5.35, 5.00, 5.70, 5.10,
        5.45, 5.45, 4.95, 5.40, 5.50, 5.35, 5.55, 5.25, 5.40, 5.55, 6.25,
    ],
}  # fmt: skip


def test_friedman_against_rs_example():
    table = np.array(list(BASES.values())).T
    assert friedman(table) == pytest.approx(0.003805, abs=5e-7)
    assert friedman(table) == pytest.approx(stats.friedmanchisquare(*table.T).pvalue)


def test_average_ranks_of_rs_example():
    found = rank_methods(BASES, "min")
    assert found.names == ("wide angle", "narrow angle", "round out")
    assert found.blocks == 22 and sum(found.ranks) == pytest.approx(6)
    by_scipy = stats.rankdata(np.array(list(BASES.values())).T, axis=1).mean(axis=0)
    assert found.ranks == pytest.approx(by_scipy[[2, 1, 0]].tolist())
    # Running wide beats both others, which are alike.
    assert found.winner == "wide angle" and found.groups == (("narrow angle", "round out"),)


def test_higher_is_better_where_it_is_asked():
    turned = {name: [-value for value in values] for name, values in BASES.items()}
    assert rank_methods(turned, "max").ranks == rank_methods(BASES, "min").ranks


@pytest.mark.parametrize("n", [3, 8, 20])
def test_the_signed_rank_test_against_scipys_exact_one(n):
    rng = np.random.default_rng(n)
    for _ in range(20):
        a, b = rng.normal(size=(2, n))
        expected = stats.wilcoxon(a, b, method="exact").pvalue
        assert signed_rank(a, b) == pytest.approx(expected, rel=1e-9)


def test_with_ties_and_zeros_against_all_permutations():
    rng = np.random.default_rng(1)
    every = stats.PermutationMethod(n_resamples=np.inf)
    for _ in range(8):
        a, b = rng.integers(0, 4, size=(2, 7)) / 4
        if np.array_equal(a, b):
            continue
        expected = stats.wilcoxon(a, b, zero_method="pratt", method=every).pvalue
        assert signed_rank(a, b) == pytest.approx(expected, rel=1e-9)
        assert signed_rank(a, b) == signed_rank(b, a)


def test_no_difference_is_no_evidence():
    assert signed_rank([0.9, 0.9], [0.9, 0.9]) == 1.0


def test_holm_against_r():
    # p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


def noisy(shifts, blocks=12, noise=0.01, seed=0):
    rng = np.random.default_rng(seed)
    level = rng.uniform(0.5, 0.9, size=blocks)  # blocks differ far more than methods do
    return {
        name: (level + shift + noise * rng.normal(size=blocks)).tolist()
        for name, shift in shifts.items()
    }


def test_a_winner_is_claimed_where_the_test_supports_it():
    found = rank_methods(noisy({"b": 0.0, "a": 0.1, "c": 0.0}), "max")
    assert found.names[0] == found.winner == "a"
    assert set(found.losers) == {"b", "c"}
    assert found.groups == (tuple(found.names[1:]),)
    assert not found.apart("b", "c") and found.apart("a", "c") and found.apart("c", "a")


def test_no_winner_is_claimed_among_equals():
    claims = 0
    for seed in range(200):
        equals = {"a": 0.0, "b": 0.0, "c": 0.0, "d": 0.0}
        found = rank_methods(noisy(equals, seed=seed), "max")
        claims += bool(found.losers)
        assert found.winner is None
        assert found.differs or found.groups == (found.names,)
    # Any false claim at all, at a level of 5 % and 200 comparisons.
    assert claims <= 14


def test_without_friedman_no_pair_is_claimed():
    """A pair alone may look different by chance; it takes the test of all of them first."""
    found = rank_methods({"a": [3, 1, 2, 3], "b": [2, 3, 1, 1], "c": [1, 2, 3, 2]}, "max")
    assert not found.differs and found.losers == () and found.groups == (found.names,)


def test_two_methods_need_only_their_pair():
    found = rank_methods(noisy({"a": 0.1, "b": 0.0}), "max")
    assert found.friedman == found.pairs[0].p == pytest.approx(2 / 2**12)
    assert found.winner == "a" and found.groups == ()


def test_all_tied():
    found = rank_methods({"a": [1.0, 1.0], "b": [1.0, 1.0], "c": [1.0, 1.0]}, "max")
    assert (found.ranks, found.friedman, found.winner) == ((2.0, 2.0, 2.0), 1.0, None)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({"a": [1.0]}, "at least two methods"),
        ({"a": [1.0], "b": [1.0, 2.0]}, "same blocks.*'b': 2"),
        ({"a": [], "b": []}, "at least two methods"),
        ({"a": [1.0], "b": [float("nan")]}, "finite score.*b lacks"),
    ],
)
def test_what_cannot_be_ranked(scores, message):
    with pytest.raises(InvalidInput, match=message):
        rank_methods(scores, "max")


def test_the_bootstrap_covers_a_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        found = bootstrap(rng.exponential(size=20), draws=499)
        hits += found.low <= 1.0 <= found.high
    assert 0.85 <= hits / 200 <= 0.98


def test_the_bootstrap_repeats_itself_and_knows_its_limits():
    values = [0.9, 0.95, 0.97, 0.91, float("nan")]
    found = bootstrap(values)
    assert bootstrap(values) == found
    assert 0.9 < found.low < np.mean(values[:4]) < found.high < 0.97
    same = bootstrap([0.5, 0.5, 0.5])
    assert (same.low, same.high) == (0.5, 0.5)
    assert np.isnan(bootstrap([0.5]).low)
