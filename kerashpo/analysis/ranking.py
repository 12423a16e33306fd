"""Ranking of several methods on the same blocks: average ranks and significance tests.

After J. Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7
(2006): Friedman's test first, then pairs; the pairs by Wilcoxon's test corrected after Holm,
as A. Benavoli, G. Corani and F. Mangili advise (JMLR 17, 2016), since Nemenyi's depends on
which other methods are in the comparison.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kerashpo.core.errors import InvalidInput


def signed_rank(a: Sequence[float], b: Sequence[float]) -> float:
    """Returns the two-sided p value of Wilcoxon's signed-rank test, exact with ties and zeros.

    Pairs that are equal are ranked and then left out (Pratt, JASA 54, 1959). The null
    distribution is counted, not approximated: every one of the 2^n signs is equally likely
    (Wilcoxon, Biometrics Bulletin 1, 1945), and half ranks of ties are counted doubled. It
    is what `scipy.stats.wilcoxon` gives where there are neither ties nor zeros.

    Args:
        a: measurements of one (n,).
        b: measurements of the other on the same blocks (n,).

    Returns:
        p in (0, 1]; 1 where no pair differs.
    """
    from scipy.stats import rankdata

    difference = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    ranks = rankdata(np.abs(difference))
    doubled = np.rint(2 * ranks[difference != 0]).astype(int)
    if not len(doubled):
        return 1.0
    up = int(np.rint(2 * ranks[difference > 0]).sum())
    counts = _sums(doubled)
    extreme = min(up, int(doubled.sum()) - up)
    return min(1.0, 2.0 * float(counts[: extreme + 1].sum()) / float(counts.sum()))


def _sums(ranks: NDArray[np.int_]) -> NDArray[np.float64]:
    """Returns the null distribution: how many sign patterns give each rank sum (sum + 1,)."""
    counts = np.zeros(int(ranks.sum()) + 1)
    counts[0] = 1.0
    for rank in ranks:
        shifted = np.zeros_like(counts)
        shifted[rank:] = counts[: len(counts) - rank]
        counts += shifted
    return counts


def holm(p: Sequence[float]) -> list[float]:
    """Returns Holm-adjusted p values: corrected for multiple comparisons.

    Source: S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure",
    Scandinavian Journal of Statistics 6 (1979).

    Args:
        p: the p values of a family of tests (m,).

    Returns:
        the corrected ones, in the same order; at most 1.
    """
    order = np.argsort(p, kind="stable")
    corrected, worst = [math.nan] * len(p), 0.0
    for step, index in enumerate(order):
        worst = max(worst, min(1.0, (len(p) - step) * p[index]))
        corrected[index] = worst
    return corrected


LEVEL = 0.05
"""The significance level."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The comparison of two methods.

    Attributes:
        better: the one with the lower average rank.
        worse: the other one.
        p: of Wilcoxon's signed-rank test.
        corrected: the same, adjusted for the number of pairs (Holm).
    """

    better: str
    worse: str
    p: float
    corrected: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """Average ranks of methods over blocks, the best first, with the tests.

    Attributes:
        names: the methods, by average rank.
        ranks: their average ranks, 1 is best (k,).
        blocks: the number of blocks.
        friedman: p value of Friedman's test; for two methods that of their pair.
        pairs: every pair of methods.
        level: the significance level.
    """

    names: tuple[str, ...]
    ranks: tuple[float, ...]
    blocks: int
    friedman: float
    pairs: tuple[Pair, ...]
    level: float = LEVEL

    @property
    def differs(self) -> bool:
        """Whether Friedman's test is significant: only then may pairs be claimed to differ."""
        return self.friedman < self.level

    def apart(self, one: str, other: str) -> bool:
        """Returns whether two methods differ significantly."""
        corrected = {frozenset((pair.better, pair.worse)): pair.corrected for pair in self.pairs}
        return self.differs and corrected[frozenset((one, other))] < self.level

    @property
    def leaders(self) -> tuple[str, ...]:
        """The methods that share the best average rank, usually one."""
        best = self.ranks[0] + 1e-9
        return tuple(name for name, rank in zip(self.names, self.ranks) if rank <= best)

    @property
    def winner(self) -> str | None:
        """The method that is significantly better than every other one, if there is one."""
        best, *others = self.names
        return best if others and all(self.apart(best, other) for other in others) else None

    @property
    def losers(self) -> tuple[str, ...]:
        """The methods that the first one is significantly better than."""
        best, *others = self.names
        return tuple(other for other in others if self.apart(best, other))

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Maximal groups (two or more) of neighbouring methods that do not differ significantly."""
        found: list[tuple[str, ...]] = []
        for begin in range(len(self.names)):
            end = begin + 1
            while end < len(self.names) and not any(
                self.apart(name, self.names[end]) for name in self.names[begin:end]
            ):
                end += 1
            group = self.names[begin:end]
            if len(group) > 1 and not any(set(group) <= set(known) for known in found):
                found.append(group)
        return tuple(found)


def rank_methods(
    scores: Mapping[str, Sequence[float]],
    direction: Literal["min", "max"],
    level: float = LEVEL,
) -> Ranking:
    """Ranks methods that were measured on the same blocks.

    Args:
        scores: by method, a score for each block in one order (k methods, n blocks each).
        direction: the direction in which a score improves.
        level: the significance level.

    Raises:
        InvalidInput: for fewer than two methods, none or unequal blocks, or a missing score.
    """
    table = _table(scores)
    names = list(scores)
    means = _ranks(table if direction == "min" else -table).mean(axis=0)
    order = sorted(range(len(names)), key=lambda i: (means[i], i))
    ranked = [names[i] for i in order]
    tests = list(combinations(ranked, 2))
    p = [signed_rank(scores[one], scores[other]) for one, other in tests]
    pairs = tuple(
        Pair(one, other, raw, corrected) for (one, other), raw, corrected in zip(tests, p, holm(p))
    )
    overall = p[0] if len(names) == 2 else friedman(table)
    ranks = tuple(float(means[i]) for i in order)
    return Ranking(tuple(ranked), ranks, len(table), overall, pairs, level)


def friedman(table: NDArray[np.float64]) -> float:
    """Returns the p value of Friedman's test, 1 where every block is one tie.

    Args:
        table: a score for each block and method (n, k), k at least 3.
    """
    from scipy.stats import friedmanchisquare

    ranks = _ranks(table)
    if np.all(ranks == ranks[:, :1]):
        return 1.0
    return float(friedmanchisquare(*table.T).pvalue)


def _ranks(costs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns each method's rank within its block, ties shared (n, k)."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(costs, axis=1), dtype=float)


def _table(scores: Mapping[str, Sequence[float]]) -> NDArray[np.float64]:
    lengths = {name: len(values) for name, values in scores.items()}
    if len(scores) < 2 or len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise InvalidInput(
            "Ranks need at least two methods with scores on the same blocks. Received numbers "
            f"of blocks: {lengths}."
        )
    missing = [name for name, values in scores.items() if not all(map(math.isfinite, values))]
    if missing:
        raise InvalidInput(
            f"Ranks need a finite score on every block. {', '.join(missing)} lacks some."
        )
    return np.array(list(scores.values()), dtype=float).T
