"""Kernel inputs (features) of encoded configurations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from kerashpo.algorithms.gp.kernel import Layout, Matrix, Radial
from kerashpo.space.cube import Cube

_NO_CATEGORY = -1.0
SCALED_UP_TO = 10
"""Largest number of features for which the prior lengthscale grows with that number."""


@final
class Features:
    """Maps rows (n, d) with NaN to features (n, p) without.

    An inactive number takes the middle of its column and an inactive category counts as one
    more category; each distinct condition also adds a column that is 0 or 1. So two
    configurations without a parameter do not differ in it, and its presence or absence has a
    weight of its own. (A constant distance between active and inactive would not be positive
    definite: the middle and the extra column are an embedding, as in Swersky et al. 2013,
    "Raiders of the lost architecture".)

    Args:
        categorical: bool (d,), columns without order.
        gates: for each column the number of its condition, -1 where it is always active.
        bent: bool (d,), columns whose warping is to be fitted; None for none.
        radial: how correlation falls with distance.
        marks: one entry for each additional column that a row comes with, True if it is a
            category: the resource, or the study that an observation is from.
        scaled_up_to: up to this number of features the prior lengthscale is the root of the
            number, which keeps typical distances the same in every dimension (Hvarfner et
            al. 2024); beyond it is 1, since a long prior then hides the columns that matter
            (measured, ``experiments/suggestions``).

    Attributes:
        layout: how the kernel reads the features.
    """

    def __init__(
        self,
        categorical: NDArray[np.bool_],
        gates: Sequence[int],
        bent: NDArray[np.bool_] | None,
        radial: Radial,
        marks: Sequence[bool] = (),
        scaled_up_to: int = SCALED_UP_TO,
    ) -> None:
        self._categorical = np.asarray(categorical, dtype=bool)
        groups = sorted({gate for gate in gates if gate >= 0})
        self._first = [list(gates).index(gate) for gate in groups]
        self._missing = np.where(self._categorical, _NO_CATEGORY, 0.5)
        self.marks = tuple(marks)
        more = np.zeros(len(groups), dtype=bool)
        hamming = np.concatenate([self._categorical, more, np.array(self.marks, dtype=bool)])
        straight = np.zeros_like(self._categorical)
        bends = straight if bent is None else bent & ~self._categorical
        rest = np.zeros(len(groups) + len(self.marks), dtype=bool)
        length = max(1, len(hamming)) ** 0.5 if len(hamming) <= scaled_up_to else 1.0
        self.layout = Layout(hamming, np.append(bends, rest), radial, length)

    @classmethod
    def of(
        cls,
        cube: Cube,
        bent: bool,
        radial: Radial,
        marks: Sequence[bool] = (),
        scaled_up_to: int = SCALED_UP_TO,
    ) -> Features:
        """Returns the features of a space: columns under equal conditions share a gate.

        Args:
            cube: the space.
            bent: whether the warping of numbers with more than two values is to be fitted.
            radial: how correlation falls with distance.
            marks, scaled_up_to: as for the constructor.
        """
        known: dict[object, int] = {}
        gates = [
            known.setdefault(param.conditions, len(known)) if param.conditions else -1
            for param in cube.columns
        ]
        many = (cube.levels == 0) | (cube.levels > 2)
        return cls(cube.categorical, gates, many if bent else None, radial, marks, scaled_up_to)

    @property
    def count(self) -> int:
        """The number of features p."""
        return len(self.layout.hamming)

    def __call__(self, rows: Matrix, marks: Matrix | None = None) -> Matrix:
        """Returns the features (n, p) of rows (n, d).

        Args:
            rows: rows of the cube, NaN where inactive.
            marks: (n, number of marks); None for the values at which suggestions are scored:
                1 for a number (the full resource) and 0 for a category (this study).
        """
        if not (self._first or self.marks):
            return np.where(np.isnan(rows), self._missing, rows)
        inactive = np.isnan(rows)
        parts = [np.where(inactive, self._missing, rows), ~inactive[:, self._first]]
        if self.marks:
            asked = np.where(self.marks, 0.0, 1.0)
            parts.append(np.tile(asked, (len(rows), 1)) if marks is None else marks)
        return np.column_stack(parts)
