"""Configurations that were not tried before."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted
from kerashpo.space.space import Space, key

Key: TypeAlias = "tuple[tuple[str, object], ...]"
_TRIES = 100
_LISTED = 200_000


class TriedConfigs:
    """The configurations of a history, kept up to date without reading it all again."""

    def __init__(self) -> None:
        self._keys: set[Key] = set()
        self._read = 0

    def keys(self, history: History) -> set[Key]:
        """Returns the keys of every trial's configuration."""
        if self._read > history.next_trial:
            self._keys, self._read = set(), 0
        for number in range(self._read, history.next_trial):
            self._keys.add(key(history.trials[number].config))
        self._read = history.next_trial
        return self._keys


def draw_new(
    space: Space,
    seen: set[Key],
    rng: np.random.Generator,
    draw: Callable[[], Config] | None = None,
) -> Config | Exhausted:
    """Returns a configuration that is not in `seen`.

    Draws again on a collision; a finite space that keeps colliding is listed, and one of
    what is left is chosen, so that it is enumerated to its end.

    Args:
        space: what to draw from.
        seen: keys of the configurations that are taken.
        rng: the stream to draw from.
        draw: another way to draw than the space's own distribution.
    """
    if len(seen) >= space.size:
        return Exhausted()
    for _ in range(_TRIES):
        config = draw() if draw else space.sample(rng)
        if key(config) not in seen:
            return config
    if not math.isfinite(space.size) or space.size > _LISTED:
        return _persist(space, seen, rng)
    left = [config for config in space.configs() if key(config) not in seen]
    return left[int(rng.integers(len(left)))] if left else Exhausted()


def _persist(space: Space, seen: set[Key], rng: np.random.Generator) -> Config | Exhausted:
    for _ in range(100 * _TRIES):
        config = space.sample(rng)
        if key(config) not in seen:
            return config
    return Exhausted("no new configuration was found in 10,000 draws")
