"""The messages between the pool and its workers, besides tasks and trial messages.

The search starts its workers itself, so pickles are safe between them; they are never
written to disk.
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
    """This number of further messages of the worker is in the log."""

    count: int


@dataclass(frozen=True, slots=True)
class Drop:
    """The trial continues in another worker: release its memory."""

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
    """The worker cannot continue: an error that is not one trial's.

    Attributes:
        message: for the user, if kerashpo raised the error itself; else empty.
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
