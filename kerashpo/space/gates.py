"""Conditions as tests on rows of the unit cube."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from kerashpo.space.params import Condition, Param

Gates: TypeAlias = "tuple[Gate, ...]"


@final
@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of a parameter: open where any alternative holds.

    Attributes:
        values: columns of the parent, each with the positions that open it. An inactive
            parent is NaN there, which is at no position.
        single: for parents that have one value, and the right one: when they are active.
    """

    values: tuple[tuple[int, NDArray[np.float64]], ...]
    single: tuple[Gates, ...]

    @property
    def columns(self) -> frozenset[int]:
        """The columns that it looks at."""
        inner = (gate.columns for gates in self.single for gate in gates)
        return frozenset(column for column, _ in self.values).union(*inner)

    def met(self, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tells for each of `rows` (n, d) whether the condition holds (n,)."""
        found = np.zeros(len(rows), dtype=bool)
        for column, positions in self.values:
            distance = np.abs(rows[:, column, None] - positions[None, :])
            found |= (distance < 1e-9).any(axis=1)
        for gates in self.single:
            found |= np.logical_and.reduce([gate.met(rows) for gate in gates])
        return found


def gates_of(
    param: Param, params: tuple[Param, ...], columns: Mapping[int, int]
) -> tuple[Gate, ...]:
    """Returns the gates of a parameter, without those that are always open.

    Args:
        param: whose.
        params: every parameter of the space.
        columns: by the id of a parameter its column, where it has one.
    """
    gates = (_gate(condition, params, columns) for condition in param.conditions)
    return tuple(gate for gate in gates if () not in gate.single)


def _gate(condition: Condition, params: tuple[Param, ...], columns: Mapping[int, int]) -> Gate:
    parents = [p for p in params if p.name == condition.parent]
    values = tuple(
        (
            columns[id(p)],
            np.array([p.domain.unit(v) for v in condition.values if v in p.domain]),
        )
        for p in parents
        if id(p) in columns
    )
    single = tuple(
        gates_of(p, params, columns)
        for p in parents
        if id(p) not in columns and p.domain.default in condition.values
    )
    return Gate(values, single)
