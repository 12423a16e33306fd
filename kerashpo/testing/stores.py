"""The conformance suite of stores."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from kerashpo.core.errors import KerashpoError, StudyBusy
from kerashpo.core.events import (
    AlgorithmExhausted,
    Assigned,
    Configured,
    Decided,
    Ended,
    Event,
    Extended,
    FleetChanged,
    JobStarted,
    Measured,
    Noted,
    Reached,
    Reported,
    SessionEnded,
    SessionStarted,
    SpaceGrown,
    StudyCreated,
)
from kerashpo.core.records import (
    Decision,
    Failure,
    Fork,
    Plan,
    Report,
    Resume,
    Rung,
    Start,
    Status,
)
from kerashpo.store.base import Store
from kerashpo.store.journal import JournalStore
from kerashpo.testing.cases import MIXED, require

Make: TypeAlias = Callable[[Path], Store]
"""Opens the store in a file, which may not exist yet."""

CASES: Final[dict[str, Make]] = {"journal": JournalStore}
"""The persistent stores of the package, by name."""

EVENTS: Final[tuple[Event, ...]] = (
    StudyCreated(MIXED.to_json(), (("val_loss", "min"),), 2**40, {"data": None}, {"os": "x"}),
    SessionStarted(1.7e9),
    JobStarted(Start(0, {"lr": 0.1, "name": "ä/b", "on": True, "no": None}, 3), at=0.5),
    Assigned(0, 2, "10.0.0.7", at=0.55),
    FleetChanged(2, 3, 1, "1 GPU: the cluster has none free", 1, at=0.56),
    Configured(0, {"layers": 2}, at=0.6),
    SpaceGrown(0, ({"name": "late", "kind": "bool"},), at=0.7),
    Noted(0, {"way": "compiled", "retries": 1}, at=0.8),
    Reported(Report(0, 0, 1, {"loss": 0.25, "val_loss": -math.inf}, 0.123456789), at=1.0),
    Reached(0, at=1.1),
    Decided(0, Decision.PAUSE, at=1.2),
    JobStarted(Resume(0, 9), at=1.3),
    JobStarted(Fork(1, 0, 3, {"lr": 0.2}, 9), at=1.4),
    Ended(0, Status.FAILED, "failed", Failure("fit", "boom", "Traceback\n ...", "out"), at=1.5),
    Ended(1, Status.COMPLETED, "completed", at=1.6),
    SessionEnded("finished", True, at=2.0),
    SessionStarted(
        1.7e9,
        {"kind": "script", "target": "search.py", "arguments": ["a"]},
        Plan(((Rung(9, 1), Rung(3, 3)),), 9, None, ("a note",)).to_json(),
        at=2.0,
    ),
    AlgorithmExhausted("space exhausted", at=2.05),
    Extended(MIXED.to_json(), MIXED.to_json(), {"epochs": 4}, True, at=2.1),
    Measured(0, 1, 2, {"loss": 0.5}, at=2.2),
)
"""At least one event of each kind."""


def reads_what_was_appended(make: Make, folder: Path) -> None:
    """Every kind of event is read back equal, in order, on every reading."""
    store = _filled(make, folder / "kinds")
    try:
        for time in ("first", "second"):
            require(list(store.read()) == list(EVENTS), f"read a {time} time, events differ")
    finally:
        store.close()


def survives_reopening(make: Make, folder: Path) -> None:
    """Closed and reopened, it holds the same events and accepts more."""
    _filled(make, folder / "twice").close()
    store = make(folder / "twice")
    try:
        store.append(EVENTS[-1])
        require(list(store.read()) == [*EVENTS, EVENTS[-1]], "reopened, it held other events")
    finally:
        store.close()


def keeps_nan(make: Make, folder: Path) -> None:
    """A metric that is NaN comes back as NaN."""
    store = make(folder / "nan")
    try:
        store.append(Reported(Report(0, 0, 1, {"loss": math.nan}, 1.0), at=1.0))
        (event,) = store.read()
        kept = isinstance(event, Reported) and math.isnan(event.report.metrics["loss"])
        require(kept, f"NaN came back as {event!r}")
    finally:
        store.close()


def has_one_writer(make: Make, folder: Path) -> None:
    """While a store is open, a second writer is refused; after closing it is not."""
    first = _filled(make, folder / "one")
    try:
        second = make(folder / "one")
    except StudyBusy as error:
        require(folder.name in str(error), f"the error does not name the folder: {error}")
    else:
        second.close()
        require(False, "a second writer was let in")
    finally:
        first.close()
    make(folder / "one").close()


def refuses_a_file_that_is_no_log(make: Make, folder: Path) -> None:
    """A file that was never a log is refused with its name, and left unchanged."""
    path = folder / "foreign"
    path.write_bytes(b"this is somebody's thesis\n" * 100)
    _require_refused(make, path)
    require(path.read_bytes().startswith(b"this is"), "the file was overwritten")


def reports_damage(make: Make, folder: Path) -> None:
    """If bytes in the middle were overwritten, reading raises instead of inventing events."""
    path = folder / "scratched"
    _long(make, path)
    path.write_bytes(_scratch(path.read_bytes()))
    _require_refused(make, path)


def keeps_events_before_a_cut(make: Make, folder: Path) -> None:
    """A file cut at any length is refused, or holds the events before the cut and accepts more."""
    whole = folder / "whole"
    written = _long(make, whole)
    data = whole.read_bytes()
    for number, length in enumerate(range(len(data) // 2, len(data) // 2 + 400, 23)):
        path = folder / f"cut_{number}"
        path.write_bytes(data[:length])
        try:
            store = make(path)
        except KerashpoError as error:
            require(path.name in str(error), f"the error does not name the file: {error}")
            continue
        with contextlib.closing(store):
            kept = list(store.read())
            store.append(EVENTS[-1])
            require(kept == written[: len(kept)], f"cut after {length} bytes, events differ")
            require(bool(kept), f"cut after {length} bytes, nothing was kept")
            more = [*kept, EVENTS[-1]]
            require(list(store.read()) == more, f"cut after {length} bytes, it accepts no more")


CHECKS: Final[tuple[Callable[[Make, Path], None], ...]] = (
    reads_what_was_appended,
    survives_reopening,
    keeps_nan,
    has_one_writer,
    refuses_a_file_that_is_no_log,
    reports_damage,
    keeps_events_before_a_cut,
)


def check_store(make: Make, folder: Path) -> None:
    """Runs every check in an empty folder.

    Raises:
        NotConforming: for the first check that fails.
    """
    for check in CHECKS:
        check(make, folder)


def _filled(make: Make, path: Path) -> Store:
    store = make(path)
    for event in EVENTS:
        store.append(event)
    return store


def _long(make: Make, path: Path) -> list[Event]:
    """Writes a log of many pages; returns its events."""
    written = [*EVENTS] * 200
    store = make(path)
    for event in written:
        store.append(event)
    store.close()
    return written


def _scratch(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + b"\xff" * 4096 + data[middle + 4096 :]


def _require_refused(make: Make, path: Path) -> None:
    try:
        store = make(path)
        try:
            events = list(store.read())
        finally:
            store.close()
    except KerashpoError as error:
        require(path.name in str(error), f"the error does not name the file: {error}")
        return
    require(False, f"{path.name} was read without an error, {len(events)} events")
