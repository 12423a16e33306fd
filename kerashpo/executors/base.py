"""The interfaces of executors and of runners."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeAlias

from kerashpo.core.records import Decision
from kerashpo.executors.fleet import Fleet
from kerashpo.executors.messages import Message, Saving, WorkItem
from kerashpo.store.trial_checkpoints import Origin

Emit: TypeAlias = "Callable[[Message | Saving], Decision]"
"""Passes a message to the loop and returns the decision on its trial."""


class Executor(ABC):
    """Runs tasks and passes their messages to the loop."""

    @abstractmethod
    def submit(self, tasks: Sequence[WorkItem]) -> None:
        """Accepts tasks, at most as many as `free` returned.

        The state that a fork starts from is secured before this returns, so the fork can start
        even if its parent frees its checkpoint afterwards.
        """

    def secure(self, origins: Mapping[int, Origin]) -> None:
        """Keeps the states that forks start from, even if their parents free their checkpoints.

        `submit` does so for the tasks it takes. A resumed search calls it first, for the forks
        that may not have started.

        Args:
            origins: for each fork its parent and the epoch of the parent that it continues after.
        """
        return

    @abstractmethod
    def free(self) -> int:
        """Returns how many tasks could start now."""

    def busy(self) -> int:
        """Returns how many workers have an unfinished task.

        A pausing trial counts until its checkpoint is written.
        """
        return 0

    def assignments(self) -> Mapping[int, int]:
        """Returns, by trial, the worker that has it; workers count from 0."""
        return {}

    def nodes(self) -> Mapping[int, str]:
        """Returns, by worker, the name of its machine; empty for this one, or if unknown."""
        return {}

    def fleet(self) -> Fleet | None:
        """Returns the machines of the workers; None if all are on this one."""
        return None

    @abstractmethod
    def poll(self, handle: Callable[[Message], None], timeout: float | None = None) -> None:
        """Blocks until a message is available or `timeout` seconds passed, then handles them all.

        `handle` is called with each pending message. It may call `decide`; the decision takes
        effect before the trial's next epoch if the executor can wait for it.
        """

    @abstractmethod
    def decide(self, trial: int, decision: Decision) -> None:
        """Applies a decision to a trial.

        A task that is still queued is dropped unless the decision is CONTINUE. STOP for a trial
        that is not running frees its checkpoint.
        """

    @abstractmethod
    def now(self) -> float:
        """Returns seconds on the executor's clock, real or virtual."""

    @abstractmethod
    def close(self) -> None:
        """Ends the workers; running trials fall back to their last checkpoints."""


def origins_of(items: Sequence[WorkItem]) -> dict[int, Origin]:
    """Returns the origins of the forks among the items, see `Executor.secure`."""
    return {item.trial: item.origin for item in items if item.origin is not None}


class Runner(ABC):
    """Trains trials in one process and keeps their checkpoints."""

    @abstractmethod
    def train(self, item: WorkItem, emit: Emit) -> None:
        """Trains an item to its end, or until a message is answered with PAUSE or STOP.

        The last message of an item is `Reached`, `Ended` or `Failed`, unless it was
        answered with PAUSE or STOP before. `Saving` precedes the writing of a checkpoint.
        """

    def run(self, items: Sequence[WorkItem], emit: Emit) -> None:
        """Trains items that share a trace signature, each as `train` would.

        A runner that can train several models in one graph call overrides this and
        `trace_signature`. Messages of different trials may come in any order; each decision
        concerns its own trial only.

        Args:
            items: work items of different trials; a single one if `trace_signature` is None.
            emit: passes a message to the loop.
        """
        for item in items:
            self.train(item, emit)

    def trace_signature(self, item: WorkItem) -> Hashable | None:
        """Returns a key shared by items that `run` can train together; None to train it alone."""
        return None

    @abstractmethod
    def free(self, trial: int) -> None:
        """Deletes the checkpoints of a trial that has ended."""

    @abstractmethod
    def drop(self, trial: int) -> None:
        """Releases the memory of a trial that continues in another worker."""

    def close(self) -> None:
        """Writes everything that must outlive the process."""
        return
