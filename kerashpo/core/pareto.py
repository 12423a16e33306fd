"""Several objectives: non-dominated sorting, crowding distance, and the knee of a front.

Rows are candidates, columns are costs, less is better. A row dominates another one if it is
nowhere worse and somewhere better.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Costs: TypeAlias = NDArray[np.float64]
_MATRIX_ROWS = 3_000
"""Up to so many rows all pairs are compared at once: 9 MB."""


def non_dominated(costs: Costs) -> NDArray[np.bool_]:
    """Returns the mask of the non-dominated rows; equal rows do not dominate each other.

    Args:
        costs: (n, m), to minimise.
    """
    order = np.lexsort(costs.T[::-1])
    keep = np.zeros(len(costs), dtype=bool)
    front = np.empty((0, costs.shape[1]))
    for index in order:
        # In lexicographic order a row is dominated only by an earlier one, and then by the front.
        row = costs[index]
        dominated = (front <= row).all(axis=1) & (front < row).any(axis=1)
        if not dominated.any():
            keep[index] = True
            front = np.vstack([front, row])
    return keep


def non_dominated_sort(costs: Costs) -> NDArray[np.int64]:
    """Returns the front of each row, from 0: the non-dominated ones, then those of the rest.

    Fast non-dominated sorting gives the same fronts (Deb et al., IEEE TEC 6(2), 2002).

    Args:
        costs: (n, m), to minimise.
    """
    fronts = np.zeros(len(costs), dtype=np.int64)
    left, front = np.arange(len(costs)), 0
    beats = _dominates(costs) if len(costs) <= _MATRIX_ROWS else None
    while len(left):
        if beats is None:
            mask = non_dominated(costs[left])
        else:
            mask = np.logical_not(np.logical_or.reduce(beats[np.ix_(left, left)], axis=0))
        fronts[left[mask]] = front
        left, front = left[~mask], front + 1
    return fronts


def _dominates(costs: Costs) -> NDArray[np.bool_]:
    """Returns whether row i dominates row j (n, n)."""
    nowhere_worse = np.ones((len(costs),) * 2, dtype=bool)
    somewhere_better = np.zeros((len(costs),) * 2, dtype=bool)
    for column in costs.T:
        nowhere_worse &= column[:, None] <= column
        somewhere_better |= column[:, None] < column
    return np.logical_and(nowhere_worse, somewhere_better)


def crowding_distance(costs: Costs) -> NDArray[np.float64]:
    """Returns how far each row of a front is from its neighbours (Deb et al., 2002).

    The sum over the objectives of the gap between both neighbours, as a share of the front's
    range; infinite at the ends of the front.

    Args:
        costs: (n, m), the rows of one front.
    """
    found = np.zeros(len(costs))
    for column in costs.T:
        order = np.argsort(column, kind="stable")
        found[order[[0, -1]]] = np.inf
        spread = column[order[-1]] - column[order[0]]
        if spread > 0:
            found[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / spread
    return found


def from_knee(costs: Costs) -> NDArray[np.int64]:
    """Returns all rows in an order of preference: front by front, each from its knee outwards.

    The knee is the row nearest to the front's ideal point (the least of each objective), in
    Euclidean distance, each objective scaled to the front's range. Equal distances keep the
    order of the rows.

    Args:
        costs: (n, m), to minimise; finite.
    """
    fronts, distance = non_dominated_sort(costs), np.zeros(len(costs))
    for front in range(int(fronts.max(initial=-1)) + 1):
        rows = costs[fronts == front]
        spread = rows.max(axis=0) - rows.min(axis=0)
        scaled = (rows - rows.min(axis=0)) / np.where(spread > 0, spread, 1.0)
        distance[fronts == front] = np.sqrt((scaled**2).sum(axis=1))
    return np.lexsort((distance, fronts))


def from_least_crowded(costs: Costs) -> NDArray[np.int64]:
    """Returns all rows front by front, each front from its least crowded row on.

    So NSGA-II chooses survivors (Deb et al., 2002). Equal distances keep the order of the rows.

    Args:
        costs: (n, m), to minimise; finite.
    """
    fronts, crowding = non_dominated_sort(costs), np.zeros(len(costs))
    for front in range(int(fronts.max(initial=-1)) + 1):
        crowding[fronts == front] = crowding_distance(costs[fronts == front])
    return np.lexsort((-crowding, fronts))
