"""Grid search: every configuration of a finite space, once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.dedup import TriedConfigs
from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted
from kerashpo.space.space import Space, key


@final
class GridSearch(Algorithm):
    """Enumerates a finite space, the last parameter fastest.

    Raises:
        InvalidSpace: on construction, if a parameter is continuous and has no step.
    """

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(space, seed)
        self._seen = TriedConfigs()
        self._read = 0
        self._configs: Iterator[Config] = space.configs()
        self._next: Config | None = next(self._configs, None)

    def ask(self, trial: int, history: History) -> Config | Exhausted:
        seen = self._seen.keys(history)
        if history.next_trial < self._read:  # An earlier history: start over.
            self._configs = self.space.configs()
            self._next = next(self._configs, None)
        self._read = history.next_trial
        while self._next is not None and key(self._next) in seen:
            self._next = next(self._configs, None)
        return Exhausted() if self._next is None else self._next
