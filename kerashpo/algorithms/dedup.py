"""Sampling without replacement: configurations that were not tried before."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import final

import numpy as np

from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted
from kerashpo.core.trial import Trial
from kerashpo.space.space import Key, Space, key

_TRIES = 100
_REJECTED = 20
_LISTED = 200_000


@final
class HistoryCursor:
    """Marks how far a cache has read a history; running trials are read again."""

    def __init__(self) -> None:
        self._read = 0
        self._open: dict[int, Config] = {}

    def advance(self, history: History) -> int:
        """Returns the first trial to read; earlier ones are unchanged since the last call."""
        trials, start = history.trials, self._read
        if history.next_trial < start or any(
            trials[number].config is not config for number, config in self._open.items()
        ):
            start, self._open = 0, {}
        candidates = (*self._open, *range(start, history.next_trial))
        self._open = {n: trials[n].config for n in candidates if not trials[n].status.ended}
        self._read = history.next_trial
        return start


class TriedConfigs:
    """The configurations of a history, updated incrementally."""

    def __init__(self) -> None:
        self._keys: set[Key] = set()
        self._cursor = HistoryCursor()

    def keys(self, history: History) -> set[Key]:
        """Returns the keys of every trial's configurations, see `configs_of`."""
        start = self._cursor.advance(history)
        if start == 0:
            self._keys = set()
        for number in range(start, history.next_trial):
            self._keys |= {key(config) for config in configs_of(history.trials[number])}
        return self._keys


def configs_of(trial: Trial) -> Iterator[Config]:
    """Yields the configuration that a trial is trained with, and the proposed one.

    They differ where the model could not take a value; both count as tried. A value that was
    computed when the trial began (`kerashpo.space.lazy`) is None, as it is when it is proposed.
    """
    computed = [name for name, value in trial.proposed.items() if value is None]
    trained = {**trial.config, **dict.fromkeys(computed)} if computed else trial.config
    yield trained
    if any(trained.get(name, value) != value for name, value in trial.proposed.items()):
        yield trial.proposed


def draw_new(
    space: Space,
    seen: set[Key],
    rng: np.random.Generator,
    draw: Callable[[], Config] | None = None,
) -> Config | Exhausted:
    """Returns a configuration that is not in `seen` and that the model takes unchanged.

    Draws again on a collision; a finite space that keeps colliding is enumerated, and one of
    the remaining configurations is chosen, so every one is proposed in the end. Where ranges
    depend on other values, draws outside them are rejected; after several of these the nearest
    valid one is taken.

    Args:
        space: the search space.
        seen: keys of the configurations already tried.
        rng: the stream to draw from.
        draw: replaces the space's own distribution.
    """
    if len(seen) >= space.size:
        return Exhausted()
    nearest: Config | None = None
    for attempt in range(_TRIES):
        drawn = draw() if draw else space.sample(rng)
        config = space.project(drawn)
        if key(config) in seen:
            continue
        if config == drawn:
            return config
        nearest = nearest or config
        if attempt >= _REJECTED:
            return nearest
    if nearest is not None:
        return nearest
    if not math.isfinite(space.size) or space.size > _LISTED:
        return _persist(space, seen, rng)
    if space.projection is not None:
        # Each check builds a model: the first remaining one is taken.
        return next((config for config in space.configs(seen)), None) or Exhausted()
    left = [config for config in space.configs() if key(config) not in seen]
    return left[int(rng.integers(len(left)))] if left else Exhausted()


def _persist(space: Space, seen: set[Key], rng: np.random.Generator) -> Config | Exhausted:
    for _ in range(100 * _TRIES):
        config = space.project(space.sample(rng))
        if key(config) not in seen:
            return config
    return Exhausted("no new configuration was found in 10,000 draws")
