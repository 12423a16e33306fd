"""The hypervolume of a front: how much of the space below a reference point it dominates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kerashpo.core.pareto import Costs, non_dominated


def hypervolume(costs: Costs, reference: Costs) -> float:
    """Returns the volume that is dominated by some row and dominates the reference.

    Two objectives by a sweep, more by WFG (While, Bradstreet and Barone, IEEE TEVC 16, 2012),
    which takes long for hundreds of rows in five objectives or more.

    Args:
        costs: (n, m), to minimise; rows that are not better than the reference in each
            objective add nothing.
        reference: (m,), the reference point.
    """
    reference = np.asarray(reference, dtype=float)
    inside = costs[(costs < reference).all(axis=1)]
    return _area(inside, reference) if len(reference) == 2 else _volume(_front(inside), reference)


def contributions(costs: Costs, reference: Costs) -> NDArray[np.float64]:
    """Returns by how much the hypervolume would fall without each row (n,).

    Args:
        costs: (n, m), to minimise.
        reference: (m,), the reference point.
    """
    whole, rows = hypervolume(costs, reference), np.arange(len(costs))
    others = [hypervolume(costs[rows != row], reference) for row in rows]
    return np.maximum(whole - np.array(others, dtype=float), 0.0)


def largest_subset(costs: Costs, reference: Costs, count: int) -> NDArray[np.int64]:
    """Returns `count` rows whose hypervolume is large, chosen one by one.

    The greedy choice has at least 1 - 1/e of the largest volume (Guerreiro, Fonseca and
    Paquete, Evolutionary Computation 24, 2016). Equal gains go to the earlier row.

    Args:
        costs: (n, m), to minimise.
        reference: (m,), the reference point.
        count: how many rows, at most n.
    """
    chosen: list[int] = []
    for _ in range(count):
        left = [row for row in range(len(costs)) if row not in chosen]
        gains = [hypervolume(costs[[*chosen, row]], reference) for row in left]
        chosen.append(left[int(np.argmax(gains))])
    return np.array(chosen, dtype=np.int64)


def _area(costs: Costs, reference: Costs) -> float:
    """Returns the hypervolume of rows (n, 2) that are better than the reference."""
    ordered = costs[np.argsort(costs[:, 0])]
    widths = np.append(ordered[1:, 0], reference[0]) - ordered[:, 0] if len(costs) else costs[:, 0]
    return float(widths @ (reference[1] - np.minimum.accumulate(ordered[:, 1])))


def _front(costs: Costs) -> Costs:
    """Returns the distinct non-dominated rows, sorted by the first objective."""
    return np.unique(costs[non_dominated(costs)], axis=0)


def _volume(front: Costs, reference: Costs) -> float:
    """Returns the hypervolume of distinct rows of a front, sorted by the first objective."""
    if not len(front):
        return 0.0
    if len(reference) == 1:
        return float(reference[0] - front[0, 0])
    if len(reference) == 2:
        return _area(front, reference)
    total = 0.0
    for index, row in enumerate(front):
        # What later rows dominate too is counted with them.
        shared = np.maximum(front[index + 1 :], row)
        total += float(np.prod(reference - row)) - _volume(_front(shared), reference)
    return total
