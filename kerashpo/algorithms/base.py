"""The interface of search algorithms."""

from __future__ import annotations

from abc import ABC, abstractmethod

from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted, NotReady
from kerashpo.space.space import Space


class Algorithm(ABC):
    """A search algorithm: proposes the configuration of each new trial, without repeats.

    The constructor's arguments are its configuration. It has no other state: a proposal
    depends only on the seed, the trial's number and the history, so a resumed study makes
    the same proposals. What `ask` keeps between calls is a cache derived from the history.

    Args:
        space: the search space.
        seed: the study's seed; streams are keyed by it, a purpose and the trial.
    """

    def __init__(self, space: Space, seed: int) -> None:
        self.space = space
        self.seed = seed

    @abstractmethod
    def ask(self, trial: int, history: History) -> Config | NotReady | Exhausted:
        """Returns the configuration of trial number `trial`.

        `NotReady` means that results of running trials are needed first, `Exhausted` that
        no new configuration is left.
        """
