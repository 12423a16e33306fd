"""Where the numbers come from: when, with which command, versions, machine and load."""

from __future__ import annotations

import json
import os
import platform
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

NAME = "provenance.json"
_PACKAGES = ("kerashpo", "keras", "tensorflow", "keras-tuner", "optuna", "numpy", "scikit-learn")


@dataclass(frozen=True, slots=True)
class Session:
    """One call of the command that searched something.

    Attributes:
        date: when it began, UTC.
        command: what was typed.
        runs: how many runs it carried out.
        workers: processes side by side.
        cores: how many the machine had for it.
        load: how many processes wanted to run on average over the minute before it began
            and the one before it ended; above `cores`, seconds are not to be trusted.
        machine: system, processor and Python.
        versions: of the packages that matter.
    """

    date: str
    command: str
    runs: int
    workers: int
    cores: int
    load: tuple[float, float]
    machine: str
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a folder of results was measured with.

    Attributes:
        budgets: by tuner, the budget of its searches.
        sessions: the calls that searched, in time.
    """

    budgets: dict[str, str] = field(default_factory=dict)
    sessions: tuple[Session, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Provenance:
        """Returns what the folder tells, nothing where it tells nothing readable."""
        try:
            body = json.loads((folder / NAME).read_text("utf-8"))
            sessions = tuple(
                Session(**{**one, "load": tuple(one["load"])}) for one in body["sessions"]
            )
            return cls(dict(body["budgets"]), sessions)
        except (OSError, ValueError, TypeError, KeyError):
            return cls()

    def write(self, folder: Path) -> None:
        """Writes it beside the results, whole or not at all."""
        temporary = (folder / NAME).with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(self), indent=1) + "\n", "utf-8")
        os.replace(temporary, folder / NAME)


class Witness:
    """Notes a session while it runs."""

    def __init__(self) -> None:
        self._date = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
        self._load = _load()

    def session(self, arguments: Sequence[str], runs: int, workers: int) -> Session:
        """Returns what is to be told of this session."""
        return Session(
            self._date,
            shlex.join(["python", "-m", "kerashpo.compare", *arguments]),
            runs,
            workers,
            cores(),
            (self._load, _load()),
            f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
            _versions(_PACKAGES),
        )


def merged(before: Provenance, budgets: Mapping[str, str], session: Session | None) -> Provenance:
    """Returns what a folder is to tell from now on.

    Args:
        before: what it told.
        budgets: by tuner, the budget of the results that are in it now.
        session: what ran, None for nothing.
    """
    more = () if session is None else (session,)
    return Provenance(dict(budgets), (*before.sessions, *more))


def _load() -> float:
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):  # not on every system
        return float("nan")


def cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _versions(names: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
