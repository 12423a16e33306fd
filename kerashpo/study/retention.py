"""Frees the weights and checkpoints that are no longer needed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any, final

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Ended, Event
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.store.base import Blobs
from kerashpo.store.blobs import best_key, read_key
from kerashpo.store.trial_checkpoints import free_checkpoints
from kerashpo.study.doctor import is_orphan, settled

_WORDS = {"best": 1.0, "all": math.inf, "none": 0.0}


def read_keep(given: Any) -> float:
    """Returns for how many ended trials the weights are kept: ``"top-5"`` is 5, ``"all"`` inf.

    Raises:
        InvalidInput: if the argument is not one of these words.
    """
    if isinstance(given, str):
        if given in _WORDS:
            return _WORDS[given]
        if match := re.fullmatch(r"top-([1-9]\d*)", given):
            return float(match[1])
    raise InvalidInput(
        'keep must be "best", "all", "none" or "top-" and a number, e.g. "top-10". '
        f"Received: {given!r}."
    )


@final
class Retention(Listener):
    """Keeps the weights of the best epochs of the best ended trials, and deletes checkpoints.

    With several objectives the best trials are those on the Pareto front, all of which are
    kept, and then those on the next fronts.

    Weights of trials that are running, paused, or stopped only by the budget are kept.

    Args:
        blobs: where weights and checkpoints are.
        most: for how many ended trials the weights are kept.
        finalists: returns further trials whose weights are kept: those that would enter a final
            round now. Weights of all trials of an earlier final round are kept.
    """

    def __init__(
        self,
        blobs: Blobs,
        most: float,
        finalists: Callable[[History], Iterable[int]] = lambda history: (),
    ) -> None:
        self._blobs, self._most, self._finalists = blobs, most, finalists
        self._kept: list[int] | None = None

    def on_event(self, event: Event, snapshot: History) -> None:
        if self._kept is None:
            self._begin(snapshot)
        if isinstance(event, Ended) and settled(snapshot.trials[event.trial]):
            self._end(event.trial, snapshot)

    def _begin(self, history: History) -> None:
        """Frees files of an earlier process, which may have been killed, or have kept more."""
        ended = [t.number for t in history.trials.values() if settled(t)]
        self._kept = self._best(ended, history)
        gone = {*ended} - {*self._kept}
        for key in self._blobs.stored():
            named = read_key(key)
            useless = named is not None and named.kind == "best" and named.trial in gone
            if useless or is_orphan(key, history):
                self._blobs.free(key)

    def _end(self, trial: int, history: History) -> None:
        runs = {*range(history.trials[trial].runs), *history.trials[trial].reports}
        free_checkpoints(self._blobs, trial)
        candidates = {*(self._kept or ()), trial}
        self._kept = self._best(candidates, history)
        for number in candidates - {*self._kept}:
            for run in {*runs, *history.trials[number].reports}:
                self._blobs.free(best_key(number, run))

    def _best(self, trials: Iterable[int], history: History) -> list[int]:
        ranked = history.ranking(trials)
        if self._most == math.inf:
            return ranked
        kept = {*ranked[: int(self._most)]}
        if history.several and self._most:
            kept |= {*history.front(ranked)}
        kept |= {number for number in ranked if history.trials[number].extra}
        kept |= {*self._finalists(history)}
        return [number for number in ranked if number in kept]
