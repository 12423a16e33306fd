"""A random forest over a study's trials, with exact marginals (for functional ANOVA)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from kerashpo.analysis.design_matrix import DesignMatrix, design_matrix
from kerashpo.core.history import History
from kerashpo.core.rng import integer, stream
from kerashpo.space.space import Space

Numbers: TypeAlias = NDArray[np.float64]

LEAST = 10
"""The fewest trials that a forest is grown on."""
_TREES = 48
_LEAVES = (2, 12)
"""Candidates for the smallest leaf: few trials suit exact scores, many suit noisy ones."""
_MOST_ROWS = 2000
_MOST_LEAVES = 256
_FENCE = 1.0


@final
@dataclass(frozen=True, slots=True)
class Boxes:
    """A regression tree as L boxes that fill the unit cube, with a value in each.

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
        """Returns a column's split points (m + 1,), 0 and 1 included."""
        return np.unique(np.concatenate([self.low[:, column], self.high[:, column]]))

    def marginal(self, columns: Sequence[int], points: Sequence[Numbers]) -> Numbers:
        """Returns the marginal: the mean over all other columns.

        Args:
            columns: one or two.
            points: for each column the positions (m,) to evaluate.

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
    """Trees grown on bootstrap samples; they predict the score at the most epochs.

    Attributes:
        trees: the trees.
        skill: out-of-bag R2 of the parameters, beyond what the trials' epochs explain, in
            [0, 1]; near 0 the rest is noise.
    """

    trees: tuple[Boxes, ...]
    skill: float

    def marginal(
        self, columns: Sequence[int], points: Sequence[Numbers]
    ) -> tuple[Numbers, Numbers]:
        """Returns mean and standard deviation over the trees of `Boxes.marginal`."""
        found = np.array([tree.marginal(columns, points) for tree in self.trees])
        return found.mean(axis=0), found.std(axis=0)


def grow(matrix: DesignMatrix, trees: int = _TREES) -> Forest | None:
    """Grows a forest; None for too few trials, or where they all score alike.

    The epochs of a trial are a feature of their own, and the trees are evaluated at the most
    epochs: trials that a scheduler stopped contribute without biasing the prediction downwards.
    An inactive parameter gets a random value in each tree, so that it cannot matter there.
    Outliers (further from the 10th to 90th percentiles than their range) are clipped, otherwise
    one diverged training would explain all variance. The smallest leaf is chosen by the
    out-of-bag skill.
    """
    if len(matrix.scores) < LEAST or not matrix.names or np.ptp(matrix.scores) == 0:
        return None
    scores = _fenced(matrix.scores, matrix.objective.direction == "min")
    epochs = np.log1p(matrix.epochs)
    rows = np.column_stack([matrix.rows, epochs / max(epochs.max(), 1.0)])
    forests = [
        _forest([_tree(rows, scores, matrix.seed, n, leaf) for n in range(trees)], scores, matrix)
        for leaf in _LEAVES
        if leaf * 4 <= len(scores)
    ]
    return max((f for f in forests if f is not None), key=lambda f: f.skill, default=None)


def _forest(
    grown: Sequence[tuple[Boxes, Numbers]], scores: Numbers, matrix: DesignMatrix
) -> Forest | None:
    # Trees that are constant at the most epochs have no variance to split.
    kept = tuple(tree for tree, _ in grown if tree.variance > 1e-12 * float(scores.var()))
    predictions = np.array([predicted for _, predicted in grown])
    return Forest(kept, _skill(predictions, scores, matrix.epochs)) if kept else None


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


def _skill(predictions: Numbers, scores: Numbers, epochs: Numbers) -> float:
    """Returns the out-of-bag R2, against the mean of the other trials of as many epochs.

    Args:
        predictions: (trees, n), NaN where a tree was grown on the trial.
        scores: (n,).
        epochs: (n,).
    """
    known = ~np.isnan(predictions)
    judged = known.any(axis=0)
    mean = np.where(known, predictions, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
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
    """Returns a tree, and its out-of-bag predictions (n,)."""
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
    predictions = model.predict(drawn)
    predictions[chosen] = np.nan
    return _boxes(model.tree_, rows.shape[1], float(rows[:, -1].max())), predictions


def _boxes(tree: Any, columns: int, most: float) -> Boxes:
    """Returns the leaves at the last column's greatest value, as boxes of the other columns."""
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


@final
class StudyForest:
    """The design matrix of a study and the forest over it, cached until the study grows.

    Args:
        history: the study.
        space: returns its space as it is now.
    """

    def __init__(self, history: History, space: Callable[[], Space]) -> None:
        self._history, self._space = history, space
        self._cached: tuple[tuple[int, int, int], DesignMatrix, Forest | None] | None = None

    def get(self) -> tuple[DesignMatrix, Forest | None]:
        """Returns both; the forest is None for too few trials."""
        history = self._history
        now = (len(history.trials), history.epochs, history.failed)
        if self._cached is None or self._cached[0] != now:
            matrix = design_matrix(history, self._space())
            self._cached = (now, matrix, grow(matrix))
        return self._cached[1:]
