"""The seam: what an algorithm is asked and told."""

from __future__ import annotations

from abc import ABC, abstractmethod

from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted, NotReady
from kerashpo.space.space import Space


class Algorithm(ABC):
    """Proposes configurations, never one that the history holds already.

    Its constructor's arguments are its configuration. Its state is what `tell`
    rebuilds, so a study resumes by replaying; `ask` changes nothing but caches and
    depends only on the seed, the trial's number, the history and what was told.

    Args:
        space: what to search.
        seed: the study's seed; streams are keyed by it, a purpose and the trial.
    """

    def __init__(self, space: Space, seed: int) -> None:
        self.space = space
        self.seed = seed

    @abstractmethod
    def ask(self, trial: int, history: History) -> Config | NotReady | Exhausted:
        """Returns the configuration for a new trial of this number."""

    def tell(self, trial: int, history: History) -> None:
        """Hears that a trial paused or ended; called in the order of events."""
        return
