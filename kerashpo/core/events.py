"""Events: the append-only log of a study, and their JSON form.

Every event has a keyword `at`, the seconds of search since the study began
(interruptions are not counted), so that times survive a restart. Code that creates an
event omits it: a worker emits what happened (`Reported`, `Reached`, ...) and the
loop stamps it with the time. Only `encode` and `decode` know the serialised form of an
event.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from kerashpo.core.records import (
    Config,
    Decision,
    Failure,
    FoldRuns,
    Fork,
    Job,
    Report,
    Resume,
    Scalar,
    Start,
    Status,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """Base of the events: the time at which the loop recorded it.

    Attributes:
        at: seconds of search since the study began; stamped by the loop.
    """

    at: float = 0.0


@dataclass(frozen=True, slots=True)
class StudyCreated(Stamped):
    """The first event: search space, objectives, seed and settings of the study.

    Attributes:
        space: the space as JSON, see `kerashpo.space.Space.to_json`.
        objectives: pairs of metric and direction; the first one ranks.
        seed: the seed of every random stream.
        settings: algorithm, scheduler, budget, data fingerprint: what a resume compares.
        environment: versions and machine, for provenance; never compared.
    """

    space: Mapping[str, Any]
    objectives: tuple[tuple[str, str], ...]
    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionStarted(Stamped):
    """A process began or resumed the search.

    Attributes:
        wall: the Unix time.
        command: how it was started, see `kerashpo.study.rerun`; empty if unknown.
        plan: the scheduler's plan under the bounds of this session, see `Plan.to_json`; empty
            if unknown.
    """

    wall: float
    command: Mapping[str, Any] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionEnded(Stamped):
    """The session ended without being killed; `finished` tells whether the study is done."""

    reason: str
    finished: bool


@dataclass(frozen=True, slots=True)
class JobStarted(Stamped):
    """A job was submitted to the executor."""

    job: Job

    @property
    def trial(self) -> int:
        """The trial's number."""
        return self.job.trial


@dataclass(frozen=True, slots=True)
class Assigned(Stamped):
    """A worker was assigned a trial's job, perhaps after another worker was lost.

    Attributes:
        worker: its number, from 0.
        node: its machine; empty for the search's own, or if unknown.
    """

    trial: int
    worker: int
    node: str = ""


@dataclass(frozen=True, slots=True)
class FleetChanged(Stamped):
    """Machines joined the search or left it, or workers wait for a place on them.

    Attributes:
        nodes: machines that are available now.
        workers: workers that are ready.
        waiting: workers that were asked for and are not placed yet.
        why: what they wait for.
        lost: machines lost since this session began.
    """

    nodes: int
    workers: int
    waiting: int = 0
    why: str = ""
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Reported(Stamped):
    """An epoch was trained and reported; a (trial, run, epoch) counts once."""

    report: Report

    @property
    def trial(self) -> int:
        """The trial's number."""
        return self.report.trial


@dataclass(frozen=True, slots=True)
class Measured(Stamped):
    """Metrics of a trial's run measured after `epoch`, apart from that epoch's report.

    A user's own training returns such metrics: if the objective is among them, it
    is the score of the run.
    """

    trial: int
    run: int
    epoch: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Reached(Stamped):
    """A trial was trained to the end of its job."""

    trial: int


@dataclass(frozen=True, slots=True)
class Decided(Stamped):
    """The scheduler (or an interrupt) paused or stopped a trial before its job's end."""

    trial: int
    decision: Decision


@dataclass(frozen=True, slots=True)
class Ended(Stamped):
    """A trial has ended.

    Attributes:
        reason: ``"completed"``, ``"early stopping"``, ``"rung"`` (not promoted),
            ``"scheduler"``, ``"study ended"`` or ``"failed"``.
    """

    trial: int
    status: Status
    reason: str
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Configured(Stamped):
    """Values that a trial's model asked for and its configuration did not contain.

    Attributes:
        declared: the definitions of the trial's parameters in the order of their declaration, if
            a range depends on other values and only trials can show it; else empty.
    """

    trial: int
    values: Mapping[str, Scalar]
    declared: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class SpaceGrown(Stamped):
    """Parameters, or wider ranges, that discovery had not seen and a trial's model declared.

    Attributes:
        params: their definitions, see `kerashpo.space.Param.to_json`; that of a known name
            replaces it.
    """

    trial: int
    params: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class AlgorithmExhausted(Stamped):
    """The algorithm cannot propose anything more in this session, unless the space grows.

    Attributes:
        reason: why, e.g. ``"space exhausted"`` or ``"max_trials reached"``.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Extended(Stamped):
    """The study was extended: to a wider space, or to a larger budget.

    Attributes:
        space: the whole space from now on.
        declared: the part of it that the user declared; a resume compares with that.
        settings: the settings that a resume compares from now on.
        restarts: whether the scheduler starts over; earlier trials only inform the algorithm.
    """

    space: Mapping[str, Any]
    declared: Mapping[str, Any]
    settings: Mapping[str, Any]
    restarts: bool = False


@dataclass(frozen=True, slots=True)
class Noted(Stamped):
    """Facts about a trial that no decision depends on, e.g. which training loop ran."""

    trial: int
    facts: Mapping[str, Scalar]


Event: TypeAlias = (
    "StudyCreated | SessionStarted | SessionEnded | JobStarted | Assigned | FleetChanged "
    "| Reported | Measured | Reached | Decided | Ended | Configured | SpaceGrown "
    "| AlgorithmExhausted | Extended | Noted"
)

EVENTS: dict[str, type] = {
    "study": StudyCreated,
    "session": SessionStarted,
    "session_end": SessionEnded,
    "job": JobStarted,
    "assigned": Assigned,
    "fleet": FleetChanged,
    "report": Reported,
    "measured": Measured,
    "reached": Reached,
    "decided": Decided,
    "ended": Ended,
    "configured": Configured,
    "grown": SpaceGrown,
    "exhausted": AlgorithmExhausted,
    "extended": Extended,
    "noted": Noted,
}
_KINDS = {cls: kind for kind, cls in EVENTS.items()}
_JOBS: dict[str, type] = {"start": Start, "resume": Resume, "fork": Fork, "folds": FoldRuns}


def trial_of(event: Event) -> int | None:
    """Returns the trial that an event is about, or None for an event about the study."""
    match event:
        case StudyCreated() | SessionStarted() | SessionEnded() | FleetChanged():
            return None
        case AlgorithmExhausted() | Extended():
            return None
        case _:
            return event.trial


def encode(event: Event) -> str:
    """Serialises an event as a JSON object on one line, its kind first.

    A metric that is not finite, which JSON has no number for, is written as ``"NaN"``,
    ``"Infinity"`` or ``"-Infinity"``.
    """
    body: dict[str, Any] = {"kind": _KINDS[type(event)], "at": event.at}
    match event:
        case Reported(report):
            body |= _fields(report)
        case JobStarted(job):
            name = next(name for name, cls in _JOBS.items() if isinstance(job, cls))
            body["job"] = {"kind": name, **_fields(job)}
        case _:
            body |= _fields(event)
    if "metrics" in body:
        body["metrics"] = {
            name: value if math.isfinite(value) else _spelled(value)
            for name, value in body["metrics"].items()
        }
    return _ENCODER.encode(body)


def decode(text: str) -> Event:
    """Deserialises the event that `encode` wrote.

    Raises:
        ValueError: if the text is truncated or the kind is unknown.
    """
    body = json.loads(text)
    kind = body.pop("kind", None) if isinstance(body, dict) else None
    if not isinstance(kind, str) or kind not in EVENTS:
        raise ValueError(f"unknown event {kind!r}")
    try:
        return _decode(kind, body)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"broken event {kind!r}: {error}") from error


def _decode(kind: str, body: dict[str, Any]) -> Event:
    if "metrics" in body:
        body["metrics"] = {name: _number(value) for name, value in body["metrics"].items()}
    match kind:
        case "report":
            at = body.pop("at")
            return Reported(Report(**body), at=at)
        case "job":
            job = body["job"]
            if "runs" in job:
                job["runs"] = tuple(job["runs"])
            body["job"] = _JOBS[job.pop("kind")](**job)
        case "study":
            body["objectives"] = tuple((name, direction) for name, direction in body["objectives"])
        case "grown":
            body["params"] = tuple(body["params"])
        case "configured":
            body["declared"] = tuple(body.get("declared", ()))
        case "decided":
            body["decision"] = Decision(body["decision"])
        case "ended":
            body["status"] = Status(body["status"])
            body["failure"] = Failure(**body["failure"]) if body["failure"] else None
    event: Event = EVENTS[kind](**body)
    return event


def _fields(record: Any) -> dict[str, Any]:
    kind: Any = type(record)
    return {name: getattr(record, name) for name in _names(kind)}


@functools.cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _spelled(value: Any) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    """Returns a value that `json` cannot serialise as one that it can."""
    match value:
        case Status() | Decision():
            return value.value
        case Failure():
            return _fields(value)
        case Mapping():
            return dict(value)
        case _ if hasattr(value, "item"):
            return value.item()
    raise TypeError(f"{value!r} cannot be written as JSON")


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_plain)


def config_of(job: Job) -> Config | None:
    """Returns the configuration of a job, None for one that resumes."""
    return None if isinstance(job, Resume) else job.config
