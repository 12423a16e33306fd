"""Frees the weights that nobody will ask for."""

from __future__ import annotations

from typing import final

from kerashpo.core.events import Ended, Event
from kerashpo.core.history import History
from kerashpo.core.trial import Trial
from kerashpo.display.listener import Listener
from kerashpo.store.base import Blobs
from kerashpo.training.runner import best_key, checkpoint_key

KEPT = 10
"""The best weights of so many ended trials are kept."""


@final
class Retention(Listener):
    """Keeps the best epochs' weights of the `KEPT` best trials that have ended.

    Args:
        blobs: where weights and checkpoints are.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._kept: list[int] | None = None

    def on_event(self, event: Event, snapshot: History) -> None:
        if self._kept is None:
            ended = (t.number for t in snapshot.trials.values() if _settled(t))
            self._kept = sorted(ended, key=snapshot.rank)[:KEPT]
        if not isinstance(event, Ended) or not _settled(snapshot.trials[event.trial]):
            return
        for run in range(snapshot.trials[event.trial].runs):
            self._blobs.free(checkpoint_key(event.trial, run))
        ranked = sorted({*self._kept, event.trial}, key=snapshot.rank)
        self._kept = ranked[:KEPT]
        for number in ranked[KEPT:]:
            for run in range(snapshot.trials[number].runs):
                self._blobs.free(best_key(number, run))


def _settled(trial: Trial) -> bool:
    return trial.status.ended and not trial.limbo
