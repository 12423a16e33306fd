"""The seams: who does the work, and what the work is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeAlias

from kerashpo.core.records import Decision
from kerashpo.executors.messages import Message, Saving, WorkItem
from kerashpo.store.trial_checkpoints import Origin

Emit: TypeAlias = "Callable[[Message | Saving], Decision]"
"""Hands a message on and returns what to do next with the trial."""


class Executor(ABC):
    """Runs tasks and hands their messages to the loop."""

    @abstractmethod
    def submit(self, tasks: Sequence[WorkItem]) -> None:
        """Takes as many tasks as `free` said at most.

        The state that a fork starts from is secured before this returns: whatever becomes of
        its parent then, the fork can begin.
        """

    def secure(self, origins: Mapping[int, Origin]) -> None:
        """Keeps the states that forks start from, whatever becomes of their parents then.

        `submit` does so for what it takes. A search that goes on does it for the forks that
        may not have begun, before anything else.

        Args:
            origins: by fork, its parent and the epoch of the parent's that it starts after.
        """
        return

    @abstractmethod
    def free(self) -> int:
        """Returns how many tasks could start now."""

    def busy(self) -> int:
        """Returns how many workers are not done with a task.

        A trial that was told to pause counts until its checkpoint is written.
        """
        return 0

    def assignments(self) -> Mapping[int, int]:
        """Returns, by trial, which of several workers has it; workers count from 0."""
        return {}

    @abstractmethod
    def poll(self, handle: Callable[[Message], None], timeout: float | None = None) -> None:
        """Waits until something is to tell (or `timeout` seconds) and tells it all.

        `handle` may call `decide`; the decision counts before the trial's next epoch
        where the executor can wait for it.
        """

    @abstractmethod
    def decide(self, trial: int, decision: Decision) -> None:
        """Carries out a decision; STOP for a trial that waits frees its checkpoint."""

    @abstractmethod
    def now(self) -> float:
        """Returns seconds on the executor's clock, real or virtual."""

    @abstractmethod
    def close(self) -> None:
        """Ends the workers; what still runs falls back to its last checkpoint."""


def origins_of(items: Sequence[WorkItem]) -> dict[int, Origin]:
    """Returns where the forks among the items start, see `Executor.secure`."""
    return {item.trial: item.origin for item in items if item.origin is not None}


class Runner(ABC):
    """Trains trials in one process and keeps their checkpoints."""

    @abstractmethod
    def train(self, item: WorkItem, emit: Emit) -> None:
        """Works on an item to its end, or until the answer to a message is not CONTINUE.

        The last message of an item is `Reached`, `Ended` or `Failed`, unless it was
        answered with PAUSE or STOP before. `Saving` comes before a checkpoint is written.
        """

    def run(self, items: Sequence[WorkItem], emit: Emit) -> None:
        """Works on items that have one trace signature, each as `train` would.

        A runner that can train several models in one graph call overrides this and
        `trace_signature`. Their messages may come in any order between trials; each trial's
        answer is for that trial alone.

        Args:
            items: of different trials; one where `trace_signature` is None.
            emit: hands a message on.
        """
        for item in items:
            self.train(item, emit)

    def trace_signature(self, item: WorkItem) -> Hashable | None:
        """Returns a key equal for items that `run` can train together; None to train it alone."""
        return None

    @abstractmethod
    def free(self, trial: int) -> None:
        """Forgets the checkpoint of a trial that will not go on."""

    @abstractmethod
    def drop(self, trial: int) -> None:
        """Lets go of what is in memory of a trial that goes on elsewhere."""

    def close(self) -> None:
        """Writes what must outlive the process."""
        return
