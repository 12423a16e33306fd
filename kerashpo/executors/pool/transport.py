"""The interface of transports: start workers, and carry messages to and from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from kerashpo.executors.fleet import Fleet
from kerashpo.executors.pool.protocol import FromWorker, Order

START_LIMIT = 300.0
"""Seconds in which a worker must import its libraries and build its runner."""


@dataclass(frozen=True, slots=True)
class Loss:
    """The reason why a worker was lost.

    Attributes:
        text: how it ended, as a clause for messages: ``"it was ended by SIGKILL"``.
        counts: whether the trial may have caused it. A machine that was switched off or
            preempted does not count towards the trial's limit of lost workers.
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
        """Identifies the worker, e.g. by its process id. A restarted worker has another name."""

    @abstractmethod
    def send(self, order: Order) -> None:
        """Sends an order. Does nothing for a worker that was lost: `receive` reports that."""

    @abstractmethod
    def receive(self) -> FromWorker | None:
        """Returns the worker's next message without blocking, None if there is none.

        Raises:
            EOFError: if the worker was lost, and every message it sent has been received.
        """

    @abstractmethod
    def kill(self) -> None:
        """Kills the worker immediately, and the processes that its trial started."""

    @abstractmethod
    def join(self, seconds: float) -> None:
        """Waits at most `seconds` seconds until the worker has ended."""

    @abstractmethod
    def loss(self) -> Loss:
        """Returns why the worker was lost; called once `receive` has raised EOFError."""

    @abstractmethod
    def close(self) -> None:
        """Ends the worker if it still runs, and releases the connection."""

    def node(self) -> str:
        """Returns the machine that it runs on; empty for this one, or if unknown."""
        return ""

    def memory(self) -> int:
        """Returns the memory of the worker in bytes, 0 if unknown."""
        return 0

    def output(self) -> str:
        """Returns the last lines that the worker printed, empty if unknown."""
        return ""


class Transport(ABC):
    """Starts workers of one kind and waits for their messages.

    Attributes:
        workers: the largest number of workers. It may change while a search runs, as nodes
            join a cluster or leave it: the pool then starts or ends workers.
        certain: whether every started worker will become ready eventually. If not (a cluster
            may be full), only ready workers count as free, so that no configuration is
            proposed for a worker that may never start.
        start_limit: seconds in which a started worker must be ready; None for no limit.
    """

    workers: int
    certain: bool = True
    start_limit: float | None = START_LIMIT

    def open(self) -> None:
        """Prepares for the first `start`. May raise an error that the user can act on."""
        return

    @abstractmethod
    def start(self, number: int, ahead: float) -> Link:
        """Starts a worker without waiting for it; it reports `Ready` when it accepts tasks.

        Args:
            number: the worker's number, from 0. The replacement of a lost worker has its number.
            ahead: passed to its `Channel`.
        """

    @abstractmethod
    def wait(self, links: Sequence[Link], timeout: float | None) -> Sequence[Link]:
        """Blocks until some links have a message or are lost, or `timeout` seconds have passed.

        Args:
            links: the links of all workers, as `start` returned them.
            timeout: seconds; None for no limit.

        Returns:
            the links for which `receive` returns a message or raises EOFError.
        """

    def fleet(self, links: Sequence[Link]) -> Fleet | None:
        """Returns the machines; None if all workers are on this one.

        Args:
            links: the links of all workers.
        """
        return None

    def close(self) -> None:
        """Releases what `open` and the constructor acquired; every link is closed by then."""
        return
