"""Wrappers of algorithms: enqueued configurations, a bound of trials, dependent ranges."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, final

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.dedup import TriedConfigs, draw_new
from kerashpo.algorithms.earlier_studies import EarlierStudy, best_first
from kerashpo.core.history import History
from kerashpo.core.records import Budget, Config, Exhausted, NotReady
from kerashpo.core.rng import stream
from kerashpo.space.space import key


@final
class Enqueued(Algorithm):
    """Proposes enqueued configurations first, then what the wrapped algorithm proposes.

    Args:
        inner: the algorithm.
        queue: configurations to try first; parameters that they omit take their defaults.

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
class BestFirst(Algorithm):
    """Warm start of an algorithm: proposes the best configurations of earlier studies first.

    Args:
        inner: the algorithm that proposes afterwards.
        sources: the earlier studies.
    """

    def __init__(self, inner: Algorithm, sources: Sequence[EarlierStudy]) -> None:
        super().__init__(inner.space, inner.seed)
        self._inner, self._sources = inner, sources

    def ask(self, trial: int, history: History) -> Config | NotReady | Exhausted:
        first = best_first(self._sources, history.ranked_by)
        return Enqueued(self._inner, first).ask(trial, history)


@final
class Projected(Algorithm):
    """Replaces the wrapped algorithm's proposals by what is trained, see `Space.project`.

    If that was tried already, another configuration is drawn.
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
    """Ends a search after `max_trials` trials: the wrapped algorithm is then exhausted.

    Every scheduler thus handles the bound like an exhausted space, and an asynchronous one
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
    """Returns how many epochs the budget still allows to assign.

    Args:
        budget: the study's bounds.
        history: the history of the study.
        promised: for each running trial the epoch at which its task ends.
    """
    if budget.max_epochs_total is None:
        return math.inf
    running = [(history.trials[trial], until) for trial, until in promised.items()]
    ahead = sum(
        epochs_to(until, [trial.last_epoch(run) for run in trial.fold_runs or range(trial.runs)])
        for trial, until in running
        if trial.number in history.running
    )
    return budget.max_epochs_total - history.epochs - ahead


def epochs_to(until: int, last: Sequence[int]) -> int:
    """Returns how many epochs it takes to train every run of a trial through an epoch.

    Args:
        until: the epoch.
        last: the last epoch of each run so far.
    """
    return sum(max(0, until - epoch) for epoch in last)
