"""Steady-state populations: each trial belongs to a slot, each slot keeps its best trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from kerashpo.algorithms.evaluations import Evaluations
from kerashpo.core.rng import stream
from kerashpo.space.cube import Matrix


@final
@dataclass(frozen=True, slots=True)
class Population:
    """The best evaluated trial of each slot; trial t belongs to slot t modulo the size.

    Without generations a free worker never waits for others, and the population is a
    function of the history alone.

    Attributes:
        slots: (n,), the slots that have a finite cost, rising.
        rows: (n, d), filled.
        costs: (n,).
        former: (m, d), filled: evaluated trials that are no longer members, the latest last.
    """

    slots: NDArray[np.int64]
    rows: Matrix
    costs: Matrix
    former: Matrix

    @classmethod
    def of(cls, seen: Evaluations, size: int, seed: int) -> Population:
        """Returns the population of `size` slots."""
        best = np.full(size, -1, dtype=np.int64)
        finite = np.flatnonzero(seen.finite)
        # From worst to best: the last write to a slot remains; ties go to the later trial.
        order = finite[np.lexsort((seen.numbers[finite], -seen.costs[finite]))]
        best[seen.numbers[order] % size] = order
        slots = np.flatnonzero(best >= 0)
        members = best[slots]
        former = np.setdiff1d(finite, members)[-size:]
        return cls(
            slots,
            fill(seen.rows[members], seen.numbers[members], seed),
            seen.costs[members],
            fill(seen.rows[former], seen.numbers[former], seed),
        )

    @property
    def order(self) -> NDArray[np.int64]:
        """Positions of the members from best to worst."""
        return np.argsort(self.costs, kind="stable")


def fill(rows: Matrix, numbers: NDArray[np.int64], seed: int) -> Matrix:
    """Returns rows (n, d) with inactive columns drawn; the draw is keyed by the trial."""
    out = rows.copy()
    for row, number in zip(out, numbers):
        empty = np.isnan(row)
        if empty.any():
            row[empty] = stream(seed, "fill", int(number)).random(len(row))[empty]
    return out


def bounced(moved: Matrix, start: Matrix) -> Matrix:
    """Returns a moved row (d,); a crossed bound becomes the midpoint of start and bound."""
    inside: Matrix = np.where(moved < 0.0, start / 2.0, moved)
    return np.where(inside > 1.0, (start + 1.0) / 2.0, inside)
