"""What the kernel sees of a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from kerashpo.algorithms.gp.kernel import Matrix
from kerashpo.space.cube import Cube

_NO_CATEGORY = -1.0


@final
class Features:
    """Turns rows (n, d) with NaN into features (n, p) without.

    An inactive number sits in the middle of its column and an inactive category counts
    as one more category; besides, each distinct condition adds a column that is 0 or 1.
    So two configurations without a parameter do not differ in it, and having against not
    having it costs a weight of its own. (A plain constant distance between active and
    inactive would not be positive definite: the middle and the extra column are an
    embedding, as in Swersky et al. 2013, "Raiders of the lost architecture".)

    Args:
        categorical: bool (d,), columns without order.
        gates: for each column the number of its condition, -1 where it is always active.

    Attributes:
        hamming: bool (p,), features that are equal or different, nothing between.
    """

    def __init__(self, categorical: NDArray[np.bool_], gates: Sequence[int]) -> None:
        self._categorical = np.asarray(categorical, dtype=bool)
        groups = sorted({gate for gate in gates if gate >= 0})
        self._first = [list(gates).index(gate) for gate in groups]
        self.hamming = np.append(self._categorical, np.zeros(len(groups), dtype=bool))

    @classmethod
    def of(cls, cube: Cube) -> Features:
        """Returns the features of a space: columns under equal conditions share a gate."""
        known: dict[object, int] = {}
        gates = [
            known.setdefault(param.conditions, len(known)) if param.conditions else -1
            for param in cube.columns
        ]
        return cls(cube.categorical, gates)

    @property
    def count(self) -> int:
        """The number of features p."""
        return len(self.hamming)

    def __call__(self, rows: Matrix) -> Matrix:
        """Returns the features (n, p) of rows (n, d)."""
        missing = np.where(self._categorical, _NO_CATEGORY, 0.5)
        inactive = np.isnan(rows)
        filled = np.where(inactive, missing, rows)
        if not self._first:
            return filled
        return np.column_stack([filled, ~inactive[:, self._first]])
