"""Wilcoxon's signed-rank test, exact with ties and zeros."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def signed_rank(a: Sequence[float], b: Sequence[float]) -> float:
    """Returns the two-sided p value of "a and b differ by as much up as down".

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
    """Returns in how many ways signs give each sum of the positive ranks (sum + 1,)."""
    counts = np.zeros(int(ranks.sum()) + 1)
    counts[0] = 1.0
    for rank in ranks:
        shifted = np.zeros_like(counts)
        shifted[rank:] = counts[: len(counts) - rank]
        counts += shifted
    return counts


def holm(p: Sequence[float]) -> list[float]:
    """Returns p values corrected for having looked so often.

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
