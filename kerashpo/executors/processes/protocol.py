"""What travels between the loop's process and a worker besides tasks and messages.

Both ends are processes of one search that the search itself started, so that pickles are
safe between them; nothing of it is ever written to disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from kerashpo.core.records import Decision
from kerashpo.executors.messages import Message, WorkItem
from kerashpo.executors.processes.pickling import Packed


@dataclass(frozen=True, slots=True)
class Hello:
    """The first thing that a worker hears.

    Attributes:
        recipe: builds the runner.
        cores: the CPU cores to stay on, empty for any.
        waits: whether each epoch waits for its answer.
        ahead: how many seconds of epochs may be trained that are not in the log yet.
    """

    recipe: Packed
    cores: tuple[int, ...]
    waits: bool
    ahead: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision about a trial; STOP also frees one that is not running."""

    trial: int
    decision: Decision


@dataclass(frozen=True, slots=True)
class Heard:
    """So many more messages have been dealt with."""

    count: int


@dataclass(frozen=True, slots=True)
class Drop:
    """The trial goes on elsewhere: let go of it."""

    trial: int


@dataclass(frozen=True, slots=True)
class Quit:
    """There is nothing more to do."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has its runner and waits for tasks."""


@dataclass(frozen=True, slots=True)
class Idle:
    """The worker is done with a trial: what it must keep is written."""

    trial: int


@dataclass(frozen=True, slots=True)
class Broken:
    """The worker cannot go on: an error that is not a trial's.

    Attributes:
        told: what to tell the user, if the error was raised on purpose; else empty.
        story: its traceback.
        full: whether the disk is full.
    """

    told: str
    story: str
    full: bool = False


Order: TypeAlias = "WorkItem | Answer | Heard | Drop | Quit"
"""What a worker hears after `Hello`."""

Said: TypeAlias = "Message | Ready | Idle | Broken"
"""What a worker says."""
