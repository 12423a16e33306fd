"""What a worker is given (`WorkItem`), and the messages that it sends back.

Most messages are events of the log as they are (`Reported`, `Reached`, `Ended` ...), which the
loop stamps with the time and records. Only what is no event is defined here: `Failed`, because
the loop may retry the trial instead of ending it, and `Saving`, which never reaches the loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from kerashpo.core.events import (
    Configured,
    Ended,
    Measured,
    Noted,
    Reached,
    Reported,
    SpaceGrown,
)
from kerashpo.core.records import Config, Failure, FoldRuns, Fork, Job
from kerashpo.store.trial_checkpoints import Origin


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A job with what a worker that never saw the trial needs.

    Attributes:
        job: what to do.
        config: the trial's configuration.
        until: the epoch to train through; below ``job.until`` where the budget ends.
        origin: where a forked trial starts: its parent, and after which epoch of the parent's.
            Given with every job of the trial, so that a fork that was interrupted before its
            first checkpoint starts there again; filled in from a `Fork`.
    """

    job: Job
    config: Config
    until: int
    origin: Origin | None = None

    def __post_init__(self) -> None:
        if self.origin is None and isinstance(self.job, Fork):
            object.__setattr__(self, "origin", (self.job.parent, self.job.at))

    @property
    def trial(self) -> int:
        """The trial's number."""
        return self.job.trial

    def runs(self, scored: int = 1) -> tuple[int, ...]:
        """Returns which runs to train: the folds of a final round, else the scored ones.

        Args:
            scored: how many runs count for a trial's score.
        """
        return self.job.runs if isinstance(self.job, FoldRuns) else tuple(range(scored))


@dataclass(frozen=True, slots=True)
class Failed:
    """The trial cannot go on; the loop retries it or ends it."""

    trial: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class Saving:
    """The trial's checkpoint is about to be written; never passed to the loop.

    It is answered when every earlier message is in the log: a checkpoint ahead of the log
    would leave a hole in it where the loop's process is killed in between.
    """

    trial: int


Message: TypeAlias = (
    "Reported | Measured | Reached | Ended | Configured | SpaceGrown | Noted | Failed"
)
"""What a worker sends to the loop.

- `Reported`: an epoch was trained.
- `Measured`: a number of the trial as it is after an epoch.
- `Reached`: the trial is trained through `WorkItem.until` (or stopped where it was told to).
- `Ended`: the trial ended by itself, e.g. by the user's EarlyStopping.
- `Configured`: the trial's model asked for values that its configuration does not hold.
- `SpaceGrown`: parameters among them that the worker's space did not know; comes before
  `Configured`.
- `Noted`: facts that no decision depends on.
- `Failed`: the trial cannot go on.
"""
