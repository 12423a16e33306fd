"""The interface of search algorithms."""

from __future__ import annotations

from abc import ABC, abstractmethod

from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted, NotReady
from kerashpo.space.space import Space


class Algorithm(ABC):
    """Proposes configurations, never one that the history holds already.

    Its constructor's arguments are its configuration. It has no other state: a proposal
    depends on the seed, the trial's number and the history alone, so a resumed study goes
    on with the same proposals. What `ask` keeps between calls is a cache of the history.

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
