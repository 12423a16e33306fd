"""The interface of a transport: starts workers, and carries messages to and from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from kerashpo.executors.pool.protocol import FromWorker, Order

START_LIMIT = 300.0
"""Seconds in which a worker must import its libraries and build its runner."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Why a worker was lost.

    Attributes:
        text: how it ended, as a clause for messages: ``"it was ended by SIGKILL"``.
        counts: whether the trial may have caused it. A machine that was switched off or
            preempted does not count towards the trial's lives.
        kind: the kind of `kerashpo.core.records.Failure` if the trial fails because of it.
    """

    text: str
    counts: bool = True
    kind: str = "killed"


class Link(ABC):
    """The pool's connection to one worker."""

    @property
    @abstractmethod
    def name(self) -> Hashable:
        """Identifies the worker: its process id, for one. A restarted worker gets another."""

    @abstractmethod
    def send(self, order: Order) -> None:
        """Sends an order. Does nothing for a worker that was lost: `receive` reports that."""

    @abstractmethod
    def receive(self) -> FromWorker | None:
        """Returns the worker's next message without waiting, None where there is none.

        Raises:
            EOFError: if the worker was lost, and every message it sent has been received.
        """

    @abstractmethod
    def kill(self) -> None:
        """Ends the worker at once, and the processes that its trial has started."""

    @abstractmethod
    def join(self, seconds: float) -> None:
        """Waits until the worker has ended, for so many seconds at most."""

    @abstractmethod
    def loss(self) -> Loss:
        """Returns why the worker was lost; called once `receive` has raised EOFError."""

    @abstractmethod
    def close(self) -> None:
        """Ends the worker if it still runs, and releases the connection."""

    def memory(self) -> int:
        """Returns the bytes of memory that the worker takes, 0 where that is not known."""
        return 0

    def output(self) -> str:
        """Returns the last lines that the worker printed, empty where they are not known."""
        return ""


class Transport(ABC):
    """Starts the workers of one kind and waits for their messages.

    Attributes:
        workers: how many workers there are at most.
        certain: whether every worker that is started will be ready some time. Where it is not
            (a cluster may be full) only those that are ready count as free, so that no
            configuration is proposed for a worker that may never come.
        start_limit: seconds in which a started worker must be ready; None for no limit.
    """

    workers: int
    certain: bool = True
    start_limit: float | None = START_LIMIT

    def open(self) -> None:
        """Prepares for the first `start`. May raise what the user can act on."""
        return

    @abstractmethod
    def start(self, number: int, ahead: float) -> Link:
        """Starts a worker and returns at once; it reports `Ready` when it can be given a task.

        Args:
            number: which worker, from 0. The one that replaces a lost worker has its number.
            ahead: for its `Channel`.
        """

    @abstractmethod
    def wait(self, links: Sequence[Link], timeout: float | None) -> Sequence[Link]:
        """Blocks until some links have a message or were lost, or `timeout` seconds passed.

        Args:
            links: those of all workers, as `start` returned them.
            timeout: seconds; None for no limit.

        Returns:
            the links for which `receive` returns a message or raises EOFError.
        """

    def close(self) -> None:
        """Releases what `open` and the constructor acquired; every link is closed by then."""
        return
