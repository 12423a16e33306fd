"""The numeric view of a space: one column in [0, 1] for each tunable parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from kerashpo.core.records import Config, Scalar
from kerashpo.space.params import Condition, Param
from kerashpo.space.space import Space

Gates: TypeAlias = "tuple[Gate, ...]"


@final
@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of a parameter, as positions of its parent's column: the gate is open if met.

    Attributes:
        values: columns of the parent, each with the positions that open the gate. An inactive
            parent is NaN there, which equals no position.
        single: conditions on parents that have a single value, the required one: the gate is
            open if such a parent is active.
    """

    values: tuple[tuple[int, NDArray[np.float64]], ...]
    single: tuple[Gates, ...]

    @property
    def columns(self) -> frozenset[int]:
        """The columns that the gate reads."""
        inner = (gate.columns for gates in self.single for gate in gates)
        return frozenset(column for column, _ in self.values).union(*inner)

    def met(self, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Returns for each of `rows` (n, d) whether the condition holds (n,)."""
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
        param: the parameter.
        params: every parameter of the space.
        columns: maps the id of a parameter to its column, if it has one.
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


Matrix: TypeAlias = NDArray[np.float64]

WIDE = 10_000
"""A discrete column with more values than this is searched as if it were continuous."""


@final
class Cube:
    """Encodes configurations as rows of the unit cube.

    Discrete values lie at the centres of their cells, inactive parameters are NaN.

    Attributes:
        space: the space it views.
        levels: int array (d,), values of each column; 0 where continuous (or over `WIDE`).
        categorical: bool array (d,), columns whose values have no order.
        grids: for each column the sorted positions of its values, None where `levels` is 0.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.columns: tuple[Param, ...] = space.free
        counts = [param.domain.levels for param in self.columns]
        self.levels = np.array([n if n <= WIDE else 0 for n in counts], dtype=np.int64)
        self.categorical = np.array([p.domain.categorical for p in self.columns], dtype=bool)
        self.grids = tuple(_grid(p) if n else None for p, n in zip(self.columns, self.levels))
        self._wide = [n > WIDE for n in counts]
        position = {id(param): index for index, param in enumerate(self.columns)}
        self._gates = tuple(gates_of(param, space.params, position) for param in self.columns)

    @property
    def dim(self) -> int:
        """The number of columns."""
        return len(self.columns)

    @property
    def parents(self) -> tuple[tuple[int, ...], ...]:
        """For each column the columns that determine whether it is active."""
        return tuple(
            tuple(sorted({column for gate in gates for column in gate.columns}))
            for gates in self._gates
        )

    def encode(self, config: Config) -> Matrix:
        """Returns the row (d,) of a configuration, NaN where a parameter is inactive."""
        row = np.full(self.dim, np.nan)
        for index, param in enumerate(self.columns):
            if param.name in config and param.active(config):
                row[index] = param.domain.unit(config[param.name])
        return row

    def decode(self, row: Matrix) -> Config:
        """Returns the configuration of a row; a NaN of an active parameter means its default."""
        values = {id(param): u for param, u in zip(self.columns, row)}
        config: dict[str, Scalar] = {}
        for param in self.space.params:
            if param.active(config):
                u = values.get(id(param), np.nan)
                domain = param.domain
                config[param.name] = domain.default if np.isnan(u) else domain.at(float(u))
        return config

    def snap(self, rows: Matrix, rng: np.random.Generator | None = None) -> Matrix:
        """Returns rows (n, d) rounded to values of the space.

        Discrete columns are rounded to the nearest cell centre, children of inactive parents
        become NaN, and missing children of active parents are drawn from `rng` (the middle of
        the column without a generator).
        """
        rows = np.array(rows, dtype=float, ndmin=2)
        for index in range(self.dim):
            column = rows[:, index]
            empty = np.isnan(column)
            if empty.any():
                column[empty] = 0.5 if rng is None else rng.random(int(empty.sum()))
            rows[:, index] = self._snap_column(index, np.clip(column, 0.0, 1.0))
        return self.deactivate(rows)

    def deactivate(self, rows: Matrix) -> Matrix:
        """Sets inactive columns of `rows` (n, d) to NaN, in place, parents first."""
        for index, gates in enumerate(self._gates):
            for gate in gates:
                rows[~gate.met(rows), index] = np.nan
        return rows

    def key(self, row: Matrix) -> bytes:
        """Returns a hashable identity of a snapped row."""
        return np.where(np.isnan(row), -1.0, np.round(row, 12)).tobytes()

    def _snap_column(self, index: int, column: Matrix) -> Matrix:
        grid = self.grids[index]
        if grid is None:
            if not self._wide[index]:
                return column
            domain = self.columns[index].domain
            return np.array([domain.unit(domain.at(float(u))) for u in column])
        right = np.clip(np.searchsorted(grid, column), 1, len(grid) - 1)
        closer = column - grid[right - 1] < grid[right] - column
        return grid[np.where(closer, right - 1, right)]


def _grid(param: Param) -> Matrix:
    domain = param.domain
    n = domain.levels
    low, scale = getattr(domain, "low", None), getattr(domain, "scale", "linear")
    if scale != "linear" and getattr(domain, "step", None) is None and low is not None:
        return np.array([domain.unit(low + i) for i in range(n)])
    return (np.arange(n) + 0.5) / n
