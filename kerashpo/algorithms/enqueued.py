"""Configurations that someone wants tried first, before whatever an algorithm proposes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.distinct import Seen
from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted, NotReady
from kerashpo.space.space import key


@final
class Enqueued(Algorithm):
    """Hands out a queue, then asks another algorithm.

    Args:
        inner: the algorithm.
        queue: configurations; what they leave out takes its default.

    Raises:
        InvalidSpace: for an unknown name or a value outside its domain.
    """

    def __init__(self, inner: Algorithm, queue: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(inner.space, inner.seed)
        self._inner, self._seen = inner, Seen()
        self._queue = [inner.space.complete(config) for config in queue]

    def ask(self, trial: int, history: History) -> Config | NotReady | Exhausted:
        taken = self._seen.keys(history)
        waiting = (config for config in self._queue if key(config) not in taken)
        first = next(waiting, None)
        return self._inner.ask(trial, history) if first is None else first

    def tell(self, trial: int, history: History) -> None:
        self._inner.tell(trial, history)
