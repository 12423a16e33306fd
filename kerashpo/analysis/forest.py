"""A random forest over a study's trials, as boxes whose marginals are exact."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from kerashpo.analysis.design_matrix import DesignMatrix
from kerashpo.core.rng import integer, stream

Numbers: TypeAlias = NDArray[np.float64]

LEAST = 10
"""With fewer trials a forest says nothing."""
_TREES = 48
_LEAVES = (2, 12)
"""The least trials in a leaf: few where scores are exact, many where chance is in them."""
_MOST_ROWS = 2000
_MOST_LEAVES = 256
_FENCE = 1.0


@final
@dataclass(frozen=True, slots=True)
class Boxes:
    """A regression tree on the unit cube: L boxes that fill it, a value in each.

    Attributes:
        low: (L, d), lower corners.
        high: (L, d), upper corners.
        value: (L,), the values.
    """

    low: Numbers
    high: Numbers
    value: Numbers

    @property
    def mean(self) -> float:
        """The mean over the cube."""
        return float(self._volume @ self.value)

    @property
    def variance(self) -> float:
        """The variance over the cube."""
        return float(self._volume @ self.value**2) - self.mean**2

    def cuts(self, column: int) -> Numbers:
        """Returns the ends (m + 1,) of the m intervals in which a column makes no difference."""
        return np.unique(np.concatenate([self.low[:, column], self.high[:, column]]))

    def marginal(self, columns: Sequence[int], points: Sequence[Numbers]) -> Numbers:
        """Returns the mean over all other columns.

        Args:
            columns: one or two.
            points: for each of them positions (m,) at which to tell.

        Returns:
            an array with an axis for each column.
        """
        inside = [
            (self.low[:, c, None] <= at)
            & ((at < self.high[:, c, None]) | (at >= 1.0) & self._top(c))
            for c, at in zip(columns, points)
        ]
        widths = np.prod([self.high[:, c] - self.low[:, c] for c in columns], axis=0)
        weight = self._volume / widths * self.value
        first = inside[0] * weight[:, None]
        if len(columns) == 1:
            return np.asarray(first.sum(axis=0), dtype=float)
        return np.asarray(first.T @ inside[1].astype(float), dtype=float)

    def _top(self, column: int) -> NDArray[np.bool_]:
        return np.asarray(self.high[:, column, None] >= 1.0, dtype=bool)

    @property
    def _volume(self) -> Numbers:
        return np.asarray(np.prod(self.high - self.low, axis=1), dtype=float)


@final
@dataclass(frozen=True, slots=True)
class Forest:
    """Trees grown on resampled trials; they say what a trial of the most epochs would score.

    Attributes:
        trees: the trees.
        skill: which part of the scores' variance the parameters predict of trials that a tree
            has not seen, beyond what their epochs do, in [0, 1]; near 0 all else is chance.
    """

    trees: tuple[Boxes, ...]
    skill: float

    def marginal(
        self, columns: Sequence[int], points: Sequence[Numbers]
    ) -> tuple[Numbers, Numbers]:
        """Returns mean and standard deviation over the trees of `Boxes.marginal`."""
        found = np.array([tree.marginal(columns, points) for tree in self.trees])
        return found.mean(axis=0), found.std(axis=0)


def grow(known: DesignMatrix, trees: int = _TREES) -> Forest | None:
    """Grows a forest; None for too few trials, or where they all score alike.

    The epochs that a trial was trained are a column of their own, and the trees are cut at the
    most epochs: trials that a scheduler stopped tell something without pulling scores down.
    Where a parameter is inactive each tree draws its value anew, so that it cannot matter there.
    Scores further from the middle four fifths than their range are moved to that
    fence: one diverged training would else explain all variance. How small leaves may be is
    decided by what the forest predicts of unseen trials.
    """
    if len(known.scores) < LEAST or not known.names or np.ptp(known.scores) == 0:
        return None
    scores = _fenced(known.scores, known.objective.direction == "min")
    epochs = np.log1p(known.epochs)
    rows = np.column_stack([known.rows, epochs / max(epochs.max(), 1.0)])
    forests = [
        _forest([_tree(rows, scores, known.seed, n, leaf) for n in range(trees)], scores, known)
        for leaf in _LEAVES
        if leaf * 4 <= len(scores)
    ]
    return max((f for f in forests if f is not None), key=lambda f: f.skill, default=None)


def _forest(
    grown: Sequence[tuple[Boxes, Numbers]], scores: Numbers, known: DesignMatrix
) -> Forest | None:
    # Where all scores at the most epochs are one value there is nothing to explain.
    kept = tuple(tree for tree, _ in grown if tree.variance > 1e-12 * float(scores.var()))
    guesses = np.array([guess for _, guess in grown])
    return Forest(kept, _skill(guesses, scores, known.epochs)) if kept else None


def _fenced(scores: Numbers, smaller_is_better: bool) -> Numbers:
    low, high = np.percentile(scores, [10, 90])
    reach = _FENCE * (high - low)
    if reach == 0:
        return scores
    fenced: Numbers = np.clip(
        scores,
        None if smaller_is_better else low - reach,
        high + reach if smaller_is_better else None,
    )
    return fenced


def _skill(guesses: Numbers, scores: Numbers, epochs: Numbers) -> float:
    """Compares guesses of unseen trials with the mean of the others of as many epochs.

    Args:
        guesses: (trees, n), NaN where a tree has seen the trial.
        scores: (n,).
        epochs: (n,).
    """
    known = ~np.isnan(guesses)
    judged = known.any(axis=0)
    mean = np.where(known, guesses, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    plain = np.full(len(scores), scores.mean())
    for level in np.unique(epochs):
        alike = epochs == level
        others = int(alike.sum()) - 1
        if others:
            plain[alike] = (scores[alike].sum() - scores[alike]) / others
    missed = float(((scores - mean)[judged] ** 2).sum())
    spread = float(((scores - plain)[judged] ** 2).sum())
    return min(max(1.0 - missed / spread, 0.0), 1.0) if spread > 0.0 else 0.0


def _tree(
    rows: Numbers, scores: Numbers, seed: int, number: int, leaf: int
) -> tuple[Boxes, Numbers]:
    """Returns a tree, and its guesses (n,) of the trials that it has not seen."""
    from sklearn.tree import DecisionTreeRegressor

    rng = stream(seed, "importance", number)
    chosen = rng.integers(len(rows), size=min(len(rows), _MOST_ROWS))
    drawn = np.where(np.isnan(rows), rng.random(rows.shape), rows)
    model = DecisionTreeRegressor(
        min_samples_leaf=leaf,
        max_leaf_nodes=_MOST_LEAVES,
        max_features=math.ceil(0.7 * rows.shape[1]),
        random_state=integer(seed, "importance tree", number) % 2**31,
    )
    model.fit(drawn[chosen], scores[chosen])
    guesses = model.predict(drawn)
    guesses[chosen] = np.nan
    return _boxes(model.tree_, rows.shape[1], float(rows[:, -1].max())), guesses


def _boxes(tree: Any, columns: int, most: float) -> Boxes:
    """Returns a tree's leaves, cut at the last column's greatest value, without that column."""
    found: list[tuple[Numbers, Numbers, float]] = []
    waiting = [(0, np.zeros(columns), np.ones(columns))]
    while waiting:
        node, low, high = waiting.pop()
        column, threshold = int(tree.feature[node]), float(tree.threshold[node])
        if tree.children_left[node] < 0:
            found.append((low[:-1], high[:-1], float(tree.value[node, 0, 0])))
            continue
        above = low.copy()
        above[column] = threshold
        waiting.append((int(tree.children_right[node]), above, high))
        if column < columns - 1 or most <= threshold:
            below = high.copy()
            below[column] = threshold
            waiting.append((int(tree.children_left[node]), low, below))
    low, high, value = (np.array(part) for part in zip(*found))
    return Boxes(low, high, value)
