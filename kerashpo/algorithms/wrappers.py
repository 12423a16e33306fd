"""Wrappers of algorithms: a queue of first configurations, a bound, dependent ranges."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, final

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.dedup import TriedConfigs, draw_new
from kerashpo.core.history import History
from kerashpo.core.records import Budget, Config, Exhausted, NotReady
from kerashpo.core.rng import stream
from kerashpo.space.space import key


@final
class Enqueued(Algorithm):
    """Proposes the configurations of a queue, then asks another algorithm.

    Args:
        inner: the algorithm.
        queue: configurations to try first; parameters that they leave out take the default.

    Raises:
        InvalidSpace: for an unknown name or a value outside its domain.
    """

    def __init__(self, inner: Algorithm, queue: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(inner.space, inner.seed)
        self._inner, self._seen = inner, TriedConfigs()
        self._queue = [inner.space.complete(config) for config in queue]

    def ask(self, trial: int, history: History) -> Config | NotReady | Exhausted:
        taken = self._seen.keys(history)
        queue = (self.space.project(config) for config in self._queue)
        first = next((config for config in queue if key(config) not in taken), None)
        return self._inner.ask(trial, history) if first is None else first


@final
class Projected(Algorithm):
    """Moves another algorithm's proposals to what is trained, see `Space.project`.

    Where that was tried already, another configuration is drawn.
    """

    def __init__(self, inner: Algorithm) -> None:
        super().__init__(inner.space, inner.seed)
        self._inner, self._seen = inner, TriedConfigs()

    def ask(self, trial: int, history: History) -> Config | NotReady | Exhausted:
        proposal = self._inner.ask(trial, history)
        if isinstance(proposal, (NotReady, Exhausted)):
            return proposal
        config, seen = self.space.project(proposal), self._seen.keys(history)
        if key(config) not in seen:
            return config
        return draw_new(self.space, seen, stream(self.seed, "project", trial))


@final
class Bounded(Algorithm):
    """An algorithm that is exhausted after `max_trials` trials.

    So every scheduler handles the bound like an exhausted space, and an asynchronous one
    still finishes its promotions.
    """

    def __init__(self, inner: Algorithm, max_trials: int | None) -> None:
        super().__init__(inner.space, inner.seed)
        self._inner, self._max_trials = inner, max_trials

    def ask(self, trial: int, history: History) -> Config | NotReady | Exhausted:
        if self._max_trials is not None and trial >= self._max_trials:
            return Exhausted("max_trials reached")
        return self._inner.ask(trial, history)


def remaining_epochs(budget: Budget, history: History, promised: Mapping[int, int]) -> float:
    """Returns how many epochs may still be handed out.

    Args:
        budget: the study's bounds.
        history: what was trained.
        promised: for each running trial the epoch that its task ends with.
    """
    if budget.max_epochs_total is None:
        return math.inf
    ahead = sum(
        max(0, until - history.trials[trial].epoch)
        for trial, until in promised.items()
        if trial in history.running
    )
    return budget.max_epochs_total - history.epochs - ahead
