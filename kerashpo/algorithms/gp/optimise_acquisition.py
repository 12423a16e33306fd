"""Maximises an acquisition over a space of continuous and discrete columns."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import qmc

from kerashpo.algorithms.gp.kernel import Matrix
from kerashpo.algorithms.gp.promise import Promise
from kerashpo.space.cube import Cube

_SPREAD = 512
_NEAR = 512
_STARTS = 5
_ROUNDS = 2
_STEPS = 30
_FEW = 12
"""Columns with at most this many values are swept whole; others by steps of 1, 2, 4 ..."""
_WIDTHS = (0.01, 0.03, 0.1, 0.3)


@final
@dataclass(frozen=True, slots=True)
class Maximiser:
    """Maximises an acquisition: a wide sample, then alternating gradient steps and single changes.

    Attributes:
        cube: the space.
        promise: the acquisition to maximise.
        climb: whether to follow the gradient.
        sweep: whether to try all discrete neighbours.
    """

    cube: Cube
    promise: Promise
    climb: bool = True
    sweep: bool = True

    def search(
        self, best: Matrix, taken: AbstractSet[bytes], rng: np.random.Generator
    ) -> Matrix | None:
        """Returns the best row (d,) found that is not taken; None where all are.

        Args:
            best: (k, d), good rows to search around.
            taken: `Cube.key` of rows not to propose.
            rng: the generator of the sample.
        """
        pool = self.cube.snap(np.vstack([self._spread(rng), self._near(best, rng)]), rng)
        scores = self.promise.score(pool)
        order = np.argsort(-scores, kind="stable")
        rows, values = pool[order[:_STARTS]], scores[order[:_STARTS]]
        tried, tried_scores = [pool], [scores]
        for _ in range(_ROUNDS):
            rows, values = self._climb(rows, values, rng)
            swept, reached, around, around_scores = self._sweep(rows, values, rng)
            tried += [rows, around]
            tried_scores += [values, around_scores]
            # A row that no neighbour beats is a local maximum.
            moved = reached > values
            if not moved.any():
                break
            rows, values = swept[moved], reached[moved]
        return self._first_free(np.vstack(tried), np.concatenate(tried_scores), taken)

    def _spread(self, rng: np.random.Generator) -> Matrix:
        return np.asarray(qmc.Sobol(self.cube.dim, rng=rng).random(_SPREAD))

    def _near(self, best: Matrix, rng: np.random.Generator) -> Matrix:
        """Returns copies of the best rows with a few columns moved, a little or far."""
        d = self.cube.dim
        rows = best[np.arange(_NEAR) % len(best)].copy()
        moved = rng.random(rows.shape) < min(1.0, max(2.0 / d, 0.2))
        moved[np.arange(_NEAR), rng.integers(d, size=_NEAR)] = True
        width = rng.choice(_WIDTHS, size=(_NEAR, 1))
        step = rows + width * rng.standard_normal(rows.shape)
        step = np.where(self.cube.categorical, rng.random(rows.shape), step)
        # Reflected, not clipped: clipping would pile the sample up on the faces.
        step = 1.0 - np.abs(1.0 - np.abs(step))
        return np.where(moved, step, rows)

    def _climb(
        self, rows: Matrix, values: Matrix, rng: np.random.Generator
    ) -> tuple[Matrix, Matrix]:
        """Follows the gradient from all rows together; rejects steps that rounding made worse."""
        free = ~np.isnan(rows) & ~self.cube.categorical
        if not (self.climb and free.any()):
            return rows, values
        work = rows.copy()

        def loss(flat: Matrix) -> tuple[float, Matrix]:
            work[free] = flat
            value, gradient = self.promise.score_and_gradient(work)
            return -float(value.sum()), -gradient[free]

        bounds = [(0.0, 1.0)] * int(free.sum())
        options = {"maxiter": _STEPS}
        found = minimize(
            loss, rows[free], jac=True, method="L-BFGS-B", bounds=bounds, options=options
        )
        work[free] = found.x
        snapped = self.cube.snap(work, rng)
        scores = self.promise.score(snapped)
        better = scores > values
        return np.where(better[:, None], snapped, rows), np.where(better, scores, values)

    def _sweep(
        self, rows: Matrix, values: Matrix, rng: np.random.Generator
    ) -> tuple[Matrix, Matrix, Matrix, Matrix]:
        """Moves each row to its best neighbour in one discrete column, if that is better."""
        around = [self._neighbours(row) for row in rows]
        owner = np.repeat(np.arange(len(rows)), [len(block) for block in around])
        if not (self.sweep and len(owner)):
            return rows, values, rows, values
        neighbours = self.cube.snap(np.vstack(around), rng)
        scores = self.promise.score(neighbours)
        rows, values = rows.copy(), values.copy()
        for i in range(len(rows)):
            mine = np.flatnonzero(owner == i)
            if len(mine) and scores[top := mine[np.argmax(scores[mine])]] > values[i]:
                rows[i], values[i] = neighbours[top], scores[top]
        return rows, values, neighbours, scores

    def _neighbours(self, row: Matrix) -> Matrix:
        out = []
        for j, grid in enumerate(self.cube.grids):
            if grid is not None and not np.isnan(row[j]):
                for position in _others(grid, float(row[j]), bool(self.cube.categorical[j])):
                    changed = row.copy()
                    changed[j] = position
                    out.append(changed)
        return np.array(out).reshape(-1, self.cube.dim)

    def _first_free(self, rows: Matrix, scores: Matrix, taken: AbstractSet[bytes]) -> Matrix | None:
        for index in np.argsort(-scores, kind="stable"):
            if self.cube.key(rows[index]) not in taken:
                return np.asarray(rows[index])
        return None


def _others(grid: Matrix, here: float, categorical: bool) -> NDArray[np.float64]:
    """Returns the positions of a discrete column to try instead of `here`."""
    index = int(np.argmin(np.abs(grid - here)))
    if categorical or len(grid) <= _FEW:
        return np.delete(grid, index)
    steps = 2 ** np.arange(int(np.log2(len(grid))) + 1)
    near = np.concatenate([index - steps, index + steps])
    return np.asarray(grid[near[(near >= 0) & (near < len(grid))]])
