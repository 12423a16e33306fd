"""Random search without repeats (Bergstra and Bengio, 2012)."""

from __future__ import annotations

from typing import final

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.dedup import TriedConfigs, draw_new
from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted
from kerashpo.core.rng import stream
from kerashpo.space.space import Space


@final
class RandomSearch(Algorithm):
    """Draws every parameter from its own distribution; never repeats a configuration."""

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(space, seed)
        self._seen = TriedConfigs()

    def ask(self, trial: int, history: History) -> Config | Exhausted:
        return draw_new(self.space, self._seen.keys(history), stream(self.seed, "ask", trial))
