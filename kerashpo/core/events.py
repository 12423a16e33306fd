"""What happened in a study: an append-only list of events, and their JSON form.

Every event has `at`, the seconds of search since the study began (interruptions
are not counted), so that times survive a restart. `encode` and `decode` are the
only place that knows how an event is written down.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from kerashpo.core.records import (
    Config,
    Decision,
    Failure,
    Fork,
    Job,
    Report,
    Resume,
    Scalar,
    Start,
    Status,
)


@dataclass(frozen=True, slots=True)
class StudyCreated:
    """The first event: what is searched, for what, how.

    Attributes:
        space: the space as JSON, see `kerashpo.space.Space.to_json`.
        objectives: pairs of metric and direction; the first one ranks.
        seed: the seed of every random stream.
        settings: algorithm, scheduler, budget, data fingerprint: what a resume compares.
        environment: versions and machine, for provenance; never compared.
    """

    at: float
    space: Mapping[str, Any]
    objectives: tuple[tuple[str, str], ...]
    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """A process began (or went on) to search.

    Attributes:
        wall: the Unix time.
        command: how it was started, see `kerashpo.study.rerun`; empty where it is not known.
    """

    at: float
    wall: float
    command: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """It ended by itself; `finished` tells whether the study is done."""

    at: float
    reason: str
    finished: bool


@dataclass(frozen=True, slots=True)
class JobStarted:
    """A worker was given a job."""

    at: float
    job: Job
    worker: int = 0


@dataclass(frozen=True, slots=True)
class Reported:
    """An epoch was trained; a (trial, run, epoch) counts once."""

    at: float
    report: Report


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a trial's run after `epoch`, apart from that epoch's report.

    A user's own training returns such a number: where the objective is among `metrics`, it
    is the score of the run.
    """

    at: float
    trial: int
    run: int
    epoch: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Reached:
    """A trial has trained to the end of its job."""

    at: float
    trial: int


@dataclass(frozen=True, slots=True)
class Decided:
    """The scheduler (or an interrupt) paused or stopped a trial before its job's end."""

    at: float
    trial: int
    decision: Decision


@dataclass(frozen=True, slots=True)
class Ended:
    """A trial is over.

    Attributes:
        reason: ``"completed"``, ``"early stopping"``, ``"rung"`` (it lost),
            ``"scheduler"``, ``"study ended"`` or ``"failed"``.
    """

    at: float
    trial: int
    status: Status
    reason: str
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Configured:
    """Values that a trial's model asked for and its configuration did not hold."""

    at: float
    trial: int
    values: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class SpaceGrown:
    """Parameters that discovery had not seen; `space` is the whole new space."""

    at: float
    trial: int
    space: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Extended:
    """The study became a wider one: of a wider space, or with a larger budget.

    Attributes:
        space: the whole space from now on.
        declared: the part of it that was asked for; a resume compares with that.
        settings: what a resume compares from now on.
        restarts: whether the scheduler begins anew; earlier trials are evidence alone.
    """

    at: float
    space: Mapping[str, Any]
    declared: Mapping[str, Any]
    settings: Mapping[str, Any]
    restarts: bool = False


@dataclass(frozen=True, slots=True)
class Noted:
    """Facts about a trial that no decision depends on, e.g. how it was trained."""

    at: float
    trial: int
    facts: Mapping[str, Scalar]


Event: TypeAlias = (
    "StudyCreated | SessionStarted | SessionEnded | JobStarted | Reported | Measured | Reached "
    "| Decided | Ended | Configured | SpaceGrown | Extended | Noted"
)

EVENTS: dict[str, type] = {
    "study": StudyCreated,
    "session": SessionStarted,
    "session_end": SessionEnded,
    "job": JobStarted,
    "report": Reported,
    "measured": Measured,
    "reached": Reached,
    "decided": Decided,
    "ended": Ended,
    "configured": Configured,
    "grown": SpaceGrown,
    "extended": Extended,
    "noted": Noted,
}
_KINDS = {cls: kind for kind, cls in EVENTS.items()}
_JOBS: dict[str, type] = {"start": Start, "resume": Resume, "fork": Fork}


def trial_of(event: Event) -> int | None:
    """Returns the trial that an event is about, or None for those about the study."""
    match event:
        case JobStarted(job=job):
            return job.trial
        case Reported(report=report):
            return report.trial
        case StudyCreated() | SessionStarted() | SessionEnded() | Extended():
            return None
        case _:
            return event.trial


def encode(event: Event) -> tuple[str, str]:
    """Returns the event's kind and its body as JSON."""
    match event:
        case Reported(at, report):
            # The most frequent event by far: a flat list keeps the log small.
            body: Any = [
                at,
                report.trial,
                report.run,
                report.epoch,
                report.seconds,
                dict(report.metrics),
            ]
        case JobStarted(at, job, worker):
            kind = next(name for name, cls in _JOBS.items() if isinstance(job, cls))
            fields = {f.name: getattr(job, f.name) for f in dataclasses.fields(job)}
            body = {"at": at, "worker": worker, "kind": kind, "job": fields}
        case _:
            body = {f.name: _plain(getattr(event, f.name)) for f in dataclasses.fields(event)}
    return _KINDS[type(event)], json.dumps(body, separators=(",", ":"), default=_plain)


def decode(kind: str, text: str) -> Event:
    """Returns the event that `encode` wrote.

    Raises:
        ValueError: if the text is not whole or the kind is unknown.
    """
    if kind not in EVENTS:
        raise ValueError(f"unknown event {kind!r}")
    try:
        return _decode(kind, json.loads(text))
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise ValueError(f"broken event {kind!r}: {error}") from error


def _decode(kind: str, body: Any) -> Event:
    match kind:
        case "report":
            at, trial, run, epoch, seconds, metrics = body
            return Reported(at, Report(trial, run, epoch, metrics, seconds))
        case "job":
            return JobStarted(body["at"], _JOBS[body["kind"]](**body["job"]), body["worker"])
        case "study":
            body["objectives"] = tuple((name, way) for name, way in body["objectives"])
        case "decided":
            body["decision"] = Decision(body["decision"])
        case "ended":
            body["status"] = Status(body["status"])
            body["failure"] = Failure(**body["failure"]) if body["failure"] else None
    event: Event = EVENTS[kind](**body)
    return event


def _plain(value: Any) -> Any:
    match value:
        case Status() | Decision():
            return value.value
        case Failure():
            return dataclasses.asdict(value)
        case Mapping():
            return dict(value)
        case _ if hasattr(value, "item"):
            return value.item()
        case _:
            return value


def config_of(job: Job) -> Config | None:
    """Returns the configuration that a job brings, None for one that resumes."""
    return None if isinstance(job, Resume) else job.config
