"""What a worker is given, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from kerashpo.core.records import Config, Failure, Job, Report, Scalar


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A job with what a worker that never saw the trial needs.

    Attributes:
        job: what to do.
        config: the trial's configuration.
        until: the epoch to train through; below ``job.until`` where the budget ends.
    """

    job: Job
    config: Config
    until: int

    @property
    def trial(self) -> int:
        """The trial's number."""
        return self.job.trial


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch was trained."""

    report: Report

    @property
    def trial(self) -> int:
        """The trial's number."""
        return self.report.trial


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of the trial as it is after `epoch`, see `kerashpo.core.events.Measured`."""

    trial: int
    run: int
    epoch: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Reach:
    """The trial is trained through `WorkItem.until` (or stopped where it was told to)."""

    trial: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The trial ended by itself, e.g. by the user's EarlyStopping."""

    trial: int
    reason: str = "early stopping"


@dataclass(frozen=True, slots=True)
class Failed:
    """The trial cannot go on."""

    trial: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class Grew:
    """The trial's model asked for values that its configuration does not hold.

    Attributes:
        values: the values it was given.
        params: definitions (`Param.to_json`) of those that the space did not know.
    """

    trial: int
    values: Mapping[str, Scalar]
    params: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Facts about the trial that no decision depends on."""

    trial: int
    facts: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Saving:
    """The trial's checkpoint is about to be written; the loop never hears of it.

    It is answered when everything told before is in the log: a checkpoint ahead of the
    log would leave a hole in it where the loop's process is killed in between.
    """

    trial: int


Message: TypeAlias = "Epoch | Measure | Reach | Finished | Failed | Grew | Note"
"""What the loop hears."""
