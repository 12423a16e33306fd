"""Provenance of a comparison: date, command, versions, machine and load of each session."""

from __future__ import annotations

import json
import os
import platform
import shlex
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import final

from kerashpo.executors.processes.resources import available_cores

NAME = "provenance.json"
_PACKAGES = ("kerashpo", "keras", "tensorflow", "keras-tuner", "optuna", "numpy", "scikit-learn")


@dataclass(frozen=True, slots=True)
class Session:
    """One session: a call of the command in which at least one cell ran.

    Attributes:
        date: when it began, UTC.
        command: the command line.
        runs: how many runs it finished.
        workers: processes side by side.
        cores: CPU cores that it could use.
        load: the system's load average over the minute before it began and the one before it
            ended; above `cores`, seconds are not to be trusted.
        machine: system, processor and Python.
        versions: versions of the relevant packages.
    """

    date: str
    command: str
    runs: int
    workers: int | str
    cores: int
    load: tuple[float, float]
    machine: str
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Provenance:
    """The sessions that measured a folder's results, in time."""

    sessions: tuple[Session, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Provenance:
        """Returns the provenance of a folder, an empty one where none can be read."""
        try:
            body = json.loads((folder / NAME).read_text("utf-8"))
            return cls(
                tuple(Session(**{**one, "load": tuple(one["load"])}) for one in body["sessions"])
            )
        except (OSError, ValueError, TypeError, KeyError):
            return cls()

    def with_session(self, session: Session) -> Provenance:
        """Returns the provenance with one more session."""
        return Provenance((*self.sessions, session))

    def write(self, folder: Path) -> None:
        """Writes it beside the results, atomically."""
        temporary = (folder / NAME).with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(self), indent=1) + "\n", "utf-8")
        os.replace(temporary, folder / NAME)


@final
class SessionClock:
    """Date and load at the beginning of a session, for its record at the end."""

    def __init__(self) -> None:
        self._date = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
        self._load = _load()

    def session(self, arguments: Sequence[str], runs: int, workers: int | str) -> Session:
        """Returns the record of this session."""
        return Session(
            self._date,
            shlex.join(["python", "-m", "kerashpo.compare", *arguments]),
            runs,
            workers,
            len(available_cores()),
            (self._load, _load()),
            f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
            _versions(_PACKAGES),
        )


def _load() -> float:
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):  # not on every system
        return float("nan")


def _versions(names: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
