"""The messages that the pool and its workers exchange, besides tasks and trial messages.

Both ends belong to one search, which started the workers itself, so that pickles are safe
between them; nothing of it is written to disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from kerashpo.core.records import Decision
from kerashpo.executors.messages import Message, WorkItem


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision about a trial; STOP also frees the checkpoints of one that is not running."""

    trial: int
    decision: Decision


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """So many more messages of the worker are in the log."""

    count: int


@dataclass(frozen=True, slots=True)
class Drop:
    """The trial goes on in another worker: release what is in memory of it."""

    trial: int


@dataclass(frozen=True, slots=True)
class Quit:
    """There is no more work."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has built its runner and waits for tasks."""


@dataclass(frozen=True, slots=True)
class Idle:
    """The worker has finished a task: its checkpoint is written."""

    trial: int


@dataclass(frozen=True, slots=True)
class Broken:
    """The worker cannot go on: an error that is not one trial's.

    Attributes:
        message: for the user, if the error was raised on purpose; else empty.
        traceback: its traceback.
        disk_full: whether the disk is full.
    """

    message: str
    traceback: str
    disk_full: bool = False


Order: TypeAlias = "WorkItem | Answer | Acknowledged | Drop | Quit"
"""What the pool sends to a worker."""

FromWorker: TypeAlias = "Message | Ready | Idle | Broken"
"""What a worker sends to the pool."""
