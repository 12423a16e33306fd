"""Differential evolution (Storn and Price, Journal of Global Optimization 11, 1997)."""

from __future__ import annotations

from typing import final

import numpy as np

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.evaluations import EvaluationReader, first_new, initial_row
from kerashpo.algorithms.population import Population, bounced
from kerashpo.core.errors import require_integer, unknown
from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted
from kerashpo.core.rng import stream
from kerashpo.space.cube import Cube, Matrix
from kerashpo.space.space import Space

_LEAST = 4
_PARENTS = ("population", "rungs")
_ELITE = 0.2  # the share of the population that members move towards
_FACTORS = (0.4, 0.9)
_RATES = (0.5, 1.0)


@final
class DifferentialEvolution(Algorithm):
    """Differential evolution: moves each member along the difference of two other members.

    The mutation is "current to p-best" with an archive, as in JADE (Zhang and Sanderson,
    IEEE TEVC 13, 2009); factor and crossover rate are drawn for each trial. There are no
    generations: trial t replaces the best trial of its slot (t modulo the population size)
    if it is better, so no worker waits for others.

    Args:
        space: the search space.
        seed: the study's seed.
        population_size: number of slots; None for 1.5 times the dimension, between 6 and 20.
        parents: which trials a member moves towards and by. ``"population"``: those that it
            belongs to, each with its cost at the highest rung that it reached. ``"rungs"``, for
            Hyperband: members are the trials of the highest rung that holds 4, their parents
            the best of the rung below (DEHB: Awad, Mallik and Hutter, IJCAI 2021).

    Raises:
        InvalidInput: for a population of fewer than 4, or an unknown kind of parents.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        population_size: int | None = None,
        parents: str = "population",
    ) -> None:
        super().__init__(space, seed)
        if parents not in _PARENTS:
            raise unknown("parents", parents, _PARENTS)
        self._by_rung = parents == "rungs"
        self._cube = Cube(space)
        self._reader = EvaluationReader(self._cube)
        if population_size is not None:
            require_integer("population_size", population_size, _LEAST)
        self._size = population_size or min(20, max(6, round(1.5 * self._cube.dim)))

    def ask(self, trial: int, history: History) -> Config | Exhausted:
        seen = self._reader.read(history)
        rng = stream(self.seed, "de", trial)
        population = Population.of(seen, self._size, self.seed)
        if trial < self._size or len(population.slots) < _LEAST:
            start = initial_row(self._cube, trial, self.seed)
            return first_new(self._cube, seen, rng, lambda: start)
        slot = trial % self._size
        members, parents = self._rungs(history) or (population, population)
        return first_new(self._cube, seen, rng, lambda: self._child(members, parents, slot, rng))

    def _rungs(self, history: History) -> tuple[Population, Population] | None:
        """Returns members and parents by rung; None where fewer than two rungs are filled."""
        if not self._by_rung:
            return None
        found = [rung for rung in self._reader.rungs(history) if rung.finite.sum() >= _LEAST]
        populations = [Population.of(rung, self._size, self.seed) for rung in found[-2:]]
        filled = [population for population in populations if len(population.slots) >= _LEAST]
        return (filled[1], filled[0]) if len(filled) == 2 else None

    def _child(
        self, members: Population, parents: Population, slot: int, rng: np.random.Generator
    ) -> Matrix:
        """Returns a row (d,) near the member of a slot (near any where it has none)."""
        own = np.flatnonzero(members.slots == slot)
        target = int(own[0]) if len(own) else int(rng.integers(len(members.slots)))
        start, rows = members.rows[target], parents.rows
        top = parents.order[: max(2, round(_ELITE * len(rows)))]
        best = rows[int(rng.choice(top))]
        others = np.arange(len(rows))
        if parents is members:
            others = np.delete(others, target)
        first, second = rng.choice(others, size=2, replace=False)
        other = int(rng.integers(len(others) + len(parents.former)))
        minus = parents.former[other - len(others)] if other >= len(others) else rows[second]
        factor, rate = rng.uniform(*_FACTORS), rng.uniform(*_RATES)
        plus = rows[first]
        moved = bounced(start + factor * (best - start) + factor * (plus - minus), start)
        moved = self._categories(moved, (start, best, plus, minus), factor, rng)
        crossed = rng.random(self._cube.dim) < rate
        crossed[int(rng.integers(self._cube.dim))] = True
        return np.where(crossed, moved, start)

    def _categories(
        self,
        moved: Matrix,
        parents: tuple[Matrix, Matrix, Matrix, Matrix],
        factor: float,
        rng: np.random.Generator,
    ) -> Matrix:
        """Returns the row with its unordered columns inherited from a parent or sampled again.

        Where the two members of the difference differ, a value is drawn with probability
        `factor`: the discrete form of a difference.
        """
        start, best, plus, minus = parents
        kept = np.where(rng.random(len(moved)) < factor, best, start)
        differ = np.abs(plus - minus) > 1e-9
        drawn = np.where(differ & (rng.random(len(moved)) < factor), rng.random(len(moved)), kept)
        return np.where(self._cube.categorical, drawn, moved)
