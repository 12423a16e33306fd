"""Scrambled Sobol points (Sobol 1967; Owen 1998), from scipy."""

from __future__ import annotations

from typing import final

import numpy as np
from scipy.stats import qmc

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.dedup import TriedConfigs, draw_new
from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted
from kerashpo.core.rng import stream
from kerashpo.space.cube import Cube, Matrix
from kerashpo.space.space import Space, key


@final
class SobolSearch(Algorithm):
    """Fills the unit cube evenly; a point that repeats a configuration is resampled.

    The n-th trial takes the n-th point of one scrambled sequence, so resuming needs no
    state.
    """

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(space, seed)
        self._cube = Cube(space)
        self._seen = TriedConfigs()

    def ask(self, trial: int, history: History) -> Config | Exhausted:
        seen = self._seen.keys(history)
        if len(seen) >= self.space.size:
            return Exhausted()
        row = sobol_rows(self._cube.dim, 1, self.seed, start=trial)
        config = self._cube.decode(self._cube.snap(row)[0])
        if key(config) not in seen:
            return config
        return draw_new(self.space, seen, stream(self.seed, "ask", trial))


def sobol_rows(dim: int, count: int, seed: int, start: int = 0, purpose: str = "sobol") -> Matrix:
    """Returns `count` scrambled Sobol points (count, dim) from the `start`-th on."""
    if dim == 0:
        return np.zeros((count, 0))
    sampler = qmc.Sobol(dim, scramble=True, rng=stream(seed, purpose))
    if start:
        sampler.fast_forward(start)
    # scipy warns if the count is no power of two; a search takes the points one by one.
    return np.vstack([sampler.random(1) for _ in range(count)])
