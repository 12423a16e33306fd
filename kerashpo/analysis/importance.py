"""Parameter importances: functional ANOVA over a random forest.

Source: F. Hutter, H. Hoos and K. Leyton-Brown, "An Efficient Approach for Assessing
Hyperparameter Importance", ICML 2014. The variance of each tree over the unit cube is split
into main effects (one parameter alone) and interactions (a pair beyond its two main effects).
The shares are then multiplied by the forest's out-of-bag skill: a forest grown on noise has
variance too, and plain functional ANOVA would attribute all of it to some parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import final

import numpy as np

from kerashpo.analysis.design_matrix import design_matrix
from kerashpo.analysis.forest import Boxes, Forest, grow
from kerashpo.core.history import History
from kerashpo.core.records import Objective
from kerashpo.space.space import Space

_PAIRED = 8
"""How many of the most important parameters interactions are computed among."""


@final
@dataclass(frozen=True, slots=True)
class Share:
    """The share of variance that a parameter, or an interaction of two, explains.

    Attributes:
        names: one parameter or two.
        mean: of the score's variance, averaged over the trees, in [0, 1].
        deviation: standard deviation over the trees, which are grown on resampled trials.
    """

    names: tuple[str, ...]
    mean: float
    deviation: float


def importances(history: History, space: Space, objective: Objective | None = None) -> list[Share]:
    """Returns main effects and interactions, the largest first; empty for too few trials.

    Conditional parameters count over the whole space: what one explains only where it is
    active is partly an interaction with its parent.

    Args:
        history: the study.
        space: its space.
        objective: which of several objectives, or another metric; None for the score.
    """
    matrix = design_matrix(history, space, objective)
    forest = grow(matrix)
    return [] if forest is None else shares(forest, matrix.names)


def shares(forest: Forest, names: tuple[str, ...]) -> list[Share]:
    """Returns the shares of a forest's variance, the largest first."""
    alone = np.array([[_alone(tree, j) for j in range(len(names))] for tree in forest.trees])
    total = np.array([tree.variance for tree in forest.trees])
    found = [_share((name,), forest.skill * alone[:, j] / total) for j, name in enumerate(names)]
    leading = np.argsort(-alone.sum(axis=0), kind="stable")[:_PAIRED]
    for j, k in combinations(sorted(int(place) for place in leading), 2):
        both = np.array([_together(tree, j, k) for tree in forest.trees])
        beyond = np.maximum(both - alone[:, j] - alone[:, k], 0.0)
        found.append(_share((names[j], names[k]), forest.skill * beyond / total))
    return sorted(found, key=lambda share: -share.mean)


def _share(names: tuple[str, ...], parts: np.ndarray) -> Share:  # type: ignore[type-arg]
    return Share(names, float(parts.mean()), float(parts.std()))


def _alone(tree: Boxes, column: int) -> float:
    ends = tree.cuts(column)
    marginal = tree.marginal([column], [ends[:-1]])
    return max(float(np.diff(ends) @ marginal**2) - tree.mean**2, 0.0)


def _together(tree: Boxes, first: int, second: int) -> float:
    one, two = tree.cuts(first), tree.cuts(second)
    marginal = tree.marginal([first, second], [one[:-1], two[:-1]])
    return float(np.diff(one) @ marginal**2 @ np.diff(two)) - tree.mean**2
