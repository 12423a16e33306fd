"""NSGA-II, asynchronous (Deb, Pratap, Agarwal and Meyarivan, IEEE TEVC 6(2), 2002)."""

from __future__ import annotations

from typing import final

import numpy as np

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.evaluations import EvaluationReader, Evaluations, first_new, initial_row
from kerashpo.algorithms.population import fill
from kerashpo.core.errors import InvalidInput, require_integer, require_number
from kerashpo.core.history import History
from kerashpo.core.pareto import from_least_crowded
from kerashpo.core.records import Config, Exhausted
from kerashpo.core.rng import stream
from kerashpo.space.cube import Cube, Matrix
from kerashpo.space.space import Space

_LEAST = 4
_SBX, _POLYNOMIAL = 15.0, 20.0
"""Distribution indices: the larger, the nearer a child is to its parents (Deb et al., 2002)."""


@final
class NSGA2(Algorithm):
    """Crosses and mutates the non-dominated trials, the least crowded first.

    Parents are chosen by binary tournaments among the best trials so far: by the front of
    non-dominated sorting, then by crowding distance. Numbers are crossed by simulated binary
    crossover and mutated by polynomial mutation, values without an order come from either
    parent and are resampled where they mutate. There are no generations: each child competes
    with all trials as soon as it is evaluated, so that no worker waits for others.

    Args:
        space: the search space.
        seed: the study's seed.
        population_size: how many of the best trials are parents.
        crossover: the probability that a child has two parents.
        mutation: the probability that a value mutates; None for one value in each child.

    Raises:
        InvalidInput: for a population of fewer than 4, or no probability.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        population_size: int = 20,
        crossover: float = 0.9,
        mutation: float | None = None,
    ) -> None:
        super().__init__(space, seed)
        self._size = require_integer("population_size", population_size, _LEAST)
        self._cube = Cube(space)
        self._reader = EvaluationReader(self._cube)
        for name, value in (("crossover", crossover), ("mutation", mutation)):
            if value is not None and require_number(name, value, 0.0) > 1.0:
                raise InvalidInput(f"{name} is a probability, at most 1. Received: {value!r}.")
        self._crossover = crossover
        self._mutation = 1.0 / max(1, self._cube.dim) if mutation is None else mutation

    def ask(self, trial: int, history: History) -> Config | Exhausted:
        seen = self._reader.read(history)
        rng = stream(self.seed, "nsga2", trial)
        if trial < self._size or seen.finite.sum() < _LEAST:
            start = initial_row(self._cube, trial, self.seed)
            return first_new(self._cube, seen, rng, lambda: start)
        parents = self._parents(seen)
        return first_new(self._cube, seen, rng, lambda: self._child(parents, rng))

    def _parents(self, seen: Evaluations) -> Matrix:
        """Returns the rows (n, d) of the population, filled, the best first."""
        finite = np.flatnonzero(seen.finite)
        best = finite[from_least_crowded(seen.values[finite])[: self._size]]
        return fill(seen.rows[best], seen.numbers[best], self.seed)

    def _child(self, parents: Matrix, rng: np.random.Generator) -> Matrix:
        """Returns a row (d,) that differs from its parents."""
        # The rows are sorted: the lower index wins a tournament.
        one, other = rng.integers(len(parents), size=(2, 2)).min(axis=1)
        child = parents[one].copy()
        if rng.random() < self._crossover:
            child = self._crossed(child, parents[other], rng)
        mutated = rng.random(self._cube.dim) < self._mutation
        if not mutated.any() and (child == parents[[one, other]]).all(axis=1).any():
            mutated[int(rng.integers(self._cube.dim))] = True
        return np.where(mutated, self._mutated(child, rng), child)

    def _crossed(self, one: Matrix, other: Matrix, rng: np.random.Generator) -> Matrix:
        """Returns a child by simulated binary crossover, half of the values of either parent."""
        d = self._cube.dim
        u = rng.random(d)
        spread = np.where(u < 0.5, 2.0 * u, 1.0 / (2.0 - 2.0 * u)) ** (1.0 / (_SBX + 1.0))
        middle, half = (one + other) / 2.0, np.abs(one - other) / 2.0
        near = np.where(one < other, -1.0, 1.0) * np.where(rng.random(d) < 0.5, 1.0, -1.0)
        blended = np.clip(middle + near * spread * half, 0.0, 1.0)
        kept = np.where(rng.random(d) < 0.5, one, other)
        return np.where(self._cube.categorical | (rng.random(d) < 0.5), kept, blended)

    def _mutated(self, row: Matrix, rng: np.random.Generator) -> Matrix:
        """Returns a row (d,) with every value mutated."""
        d = self._cube.dim
        u = rng.random(d)
        power = 1.0 / (_POLYNOMIAL + 1.0)
        down = (2.0 * u + (1.0 - 2.0 * u) * (1.0 - row) ** (_POLYNOMIAL + 1.0)) ** power - 1.0
        v = 2.0 * (1.0 - u)
        up = 1.0 - (v + (1.0 - v) * row ** (_POLYNOMIAL + 1.0)) ** power
        moved = np.clip(row + np.where(u < 0.5, down, up), 0.0, 1.0)
        # A step smaller than a cell would come back to the same value.
        cells = np.maximum(self._cube.levels, 1)
        step = np.where(rng.random(d) < 0.5, -1.0, 1.0) / cells
        step = np.where((row + step < 0.0) | (row + step > 1.0), -step, step)
        discrete = self._cube.levels > 0
        stuck = discrete & (np.floor(moved * cells) == np.floor(row * cells))
        moved = np.where(stuck, row + step, moved)
        return np.where(self._cube.categorical, rng.random(d), moved)
