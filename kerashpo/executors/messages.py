"""The payload of a worker (`WorkItem`), and the messages that it sends back.

Most messages are events of the log (`Reported`, `Reached`, `Ended` ...), which the
loop stamps with the time and records. Only messages that are not events are defined here:
`Failed`, because the loop may retry the trial, and `Saving`, which never reaches the loop.
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
    """The payload of a worker: a job with all data that a new worker needs for the trial.

    Attributes:
        job: the job.
        config: the trial's configuration.
        until: the epoch to train through; below ``job.until`` if the budget ends earlier.
        origin: where a forked trial starts: its parent, and the epoch of the parent that it
            continues after. Set in every job of the trial, so that a fork interrupted before its
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
        """Returns the runs to train: the folds of a final round, else the scored ones.

        Args:
            scored: how many runs count for a trial's score.
        """
        return self.job.runs if isinstance(self.job, FoldRuns) else tuple(range(scored))


@dataclass(frozen=True, slots=True)
class Failed:
    """The trial failed; the loop retries it or ends it."""

    trial: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class Saving:
    """The trial's checkpoint is about to be written; never passed to the loop.

    It is answered once every earlier message is in the log: a checkpoint ahead of the log would
    leave a gap in it if the loop's process were killed in between.
    """

    trial: int


Message: TypeAlias = (
    "Reported | Measured | Reached | Ended | Configured | SpaceGrown | Noted | Failed"
)
"""What a worker sends to the loop.

- `Reported`: an epoch was trained.
- `Measured`: metrics of the trial after an epoch.
- `Reached`: the trial was trained through `WorkItem.until`, or stopped by a decision.
- `Ended`: the trial ended early, e.g. by the user's EarlyStopping.
- `Configured`: the trial's model asked for values that its configuration does not contain.
- `SpaceGrown`: parameters among them that the worker's space did not contain; sent before
`Configured`.
- `Noted`: facts that no decision depends on.
- `Failed`: the trial failed.
"""
