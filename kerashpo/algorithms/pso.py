"""Particle swarm optimisation (Kennedy and Eberhart, 1995; Clerc and Kennedy, 2002)."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.evaluations import EvaluationReader, Evaluations, first_new, initial_row
from kerashpo.algorithms.population import Population, bounced, fill
from kerashpo.core.errors import require_integer, require_number
from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted
from kerashpo.core.rng import stream
from kerashpo.space.cube import Cube, Matrix
from kerashpo.space.space import Space

_FASTEST = 0.5


@final
class ParticleSwarm(Algorithm):
    """Particle swarm: particles move towards their own best trial and the swarm's best.

    There are no generations: trial t is the next position of particle t modulo the swarm's
    size. A particle's velocity is the difference of its last two positions, so that the
    swarm is a function of the history alone.

    Args:
        space: the search space.
        seed: the study's seed.
        population_size: number of particles.
        inertia: the share of its velocity that a particle keeps.
        attraction: the weight of its own best and of the swarm's best.

    Raises:
        InvalidInput: for a number out of range.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        population_size: int = 10,
        inertia: float = 0.729,
        attraction: float = 1.494,
    ) -> None:
        super().__init__(space, seed)
        self._size = require_integer("population_size", population_size, 2)
        self._inertia = require_number("inertia", inertia, 0.0)
        self._attraction = require_number("attraction", attraction, 0.0, strict=True)
        self._cube = Cube(space)
        self._reader = EvaluationReader(self._cube)

    def ask(self, trial: int, history: History) -> Config | Exhausted:
        seen = self._reader.read(history)
        rng = stream(self.seed, "pso", trial)
        swarm = Population.of(seen, self._size, self.seed)
        if trial < self._size or not len(swarm.slots):
            start = initial_row(self._cube, trial, self.seed)
            return first_new(self._cube, seen, rng, lambda: start)
        flight = self._flight(seen, trial)
        return first_new(self._cube, seen, rng, lambda: self._next(swarm, trial, flight, rng))

    def _flight(self, seen: Evaluations, trial: int) -> Matrix:
        """Returns the last one or two positions (1 or 2, d) of a trial's particle, latest last."""
        numbers = np.append(seen.numbers, seen.waiting)
        rows = np.vstack([seen.rows, seen.pending])
        own = np.flatnonzero(numbers % self._size == trial % self._size)
        own = own[np.argsort(numbers[own])][-2:]
        if not len(own):  # its trials were stopped before their first report
            return initial_row(self._cube, trial, self.seed)[None]
        return self._spread(fill(rows[own], numbers[own], self.seed), numbers[own])

    def _spread(self, rows: Matrix, numbers: NDArray[np.int64]) -> Matrix:
        """Moves discrete positions within their cells, so that slow particles still move."""
        out = rows.copy()
        for row, number in zip(out, numbers):
            shift = stream(self.seed, "cell", int(number)).random(len(row)) - 0.5
            row += np.where(self._cube.levels > 0, shift / np.maximum(self._cube.levels, 1), 0.0)
        return out

    def _next(
        self,
        swarm: Population,
        trial: int,
        flight: Matrix,
        rng: np.random.Generator,
    ) -> Matrix:
        d, position = self._cube.dim, flight[-1]
        leader = swarm.rows[int(swarm.order[0])]
        own = np.flatnonzero(swarm.slots == trial % self._size)
        best = swarm.rows[int(own[0])] if len(own) else leader
        pulls = self._attraction * rng.random((2, d))
        moved = self._inertia * (position - flight[0]) + pulls[0] * (best - position)
        moved = moved + pulls[1] * (leader - position)
        row = bounced(position + np.clip(moved, -_FASTEST, _FASTEST), position)
        return np.where(self._cube.categorical, self._categories(position, best, leader, rng), row)

    def _categories(
        self, position: Matrix, best: Matrix, leader: Matrix, rng: np.random.Generator
    ) -> Matrix:
        """Returns a row (d,) of values kept, copied from one of the two bests, or drawn."""
        d = self._cube.dim
        drawn = rng.random(d)
        which = rng.choice(4, size=d, p=(0.3, 0.3, 0.3, 0.1))
        return np.choose(which, [position, best, leader, drawn])
