"""Creates a study, or opens an existing one and refuses a different search."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from kerashpo.core.errors import InvalidInput, StudyCorrupt, StudyMismatch
from kerashpo.core.events import Event, JobStarted, Noted, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Scalar
from kerashpo.core.rng import checked_seed, fresh_seed
from kerashpo.display.progress import short_path
from kerashpo.schedulers.base import Scheduler
from kerashpo.store.base import MemoryStore, Store
from kerashpo.store.blobs import read_key
from kerashpo.store.journal import JournalStore, Stamp, stamp_of
from kerashpo.store.lock import WriterLock
from kerashpo.store.open import LOG_NAME, has_log, log_path, open_blobs, open_store, read_events
from kerashpo.study.compatibility import (
    Difference,
    StudySpec,
    differences,
    extend,
    header_of,
)
from kerashpo.study.doctor import free_ahead, repair_study
from kerashpo.study.state import StudyState

Resuming: TypeAlias = Literal["exact", "extend"]
"""How the study in a folder must match: exactly, or as a part of the requested search."""


@dataclass(frozen=True, slots=True)
class ReadLog:
    """The events of a log, and the stamp of its file when they were read."""

    events: tuple[Event, ...]
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Opened:
    """An open study: its log and its state."""

    store: Store
    state: StudyState

    @property
    def history(self) -> History:
        """The study's history."""
        return self.state.history

    def note(self, trial: int, facts: Mapping[str, Scalar]) -> None:
        """Records facts about a trial outside the loop, when the search has ended."""
        event = Noted(trial, facts, at=self.history.now)
        self.store.append(event)
        self.history.apply(event)


def read_log(folder: Path) -> ReadLog:
    """Reads a study's log; a damaged one is repaired first.

    Raises:
        StudyCorrupt: if nothing can be recovered.
        StudyBusy: if it is damaged, and another process is searching there.
    """
    try:
        return _read_log(folder)
    except StudyCorrupt as error:
        if not error.repairable:
            raise
    repair_study(folder)
    return _read_log(folder)


def _read_log(folder: Path) -> ReadLog:
    stamp = stamp_of(log_path(folder))  # first, so that later writes are read again
    return ReadLog(tuple(read_events(folder)), stamp)


def open_or_create(
    spec: StudySpec,
    folder: Path | None,
    scheduler: Scheduler,
    *,
    overwrite: bool = False,
    resume: Resuming = "exact",
    known: ReadLog | None = None,
) -> Opened:
    """Opens the study in a folder, or creates one; None means in memory.

    A folder whose search was ended before its first trial is created again, so that an
    argument corrected after an error does not conflict with the wrong one.

    Args:
        spec: the settings of the search.
        folder: the study's folder.
        scheduler: a new one, which replays the events of the log.
        overwrite: delete an existing study first.
        resume: ``"extend"`` accepts a study whose space or budget the spec widens.
        known: the log as it was read before; it is read again only if it has changed.

    Raises:
        StudyMismatch: if the folder contains a different search, with the differences.
        StudyBusy: if another process is searching there.
        InvalidInput: if the folder cannot be written, or the seed is not a whole number.
    """
    spec = replace(spec, seed=checked_seed(spec.seed))
    if folder is None:
        return _create(spec, MemoryStore(), scheduler)
    if overwrite:
        remove(folder)
    store, events = _open_log(folder, known)
    try:
        if not events:
            _require_nothing_trained(folder)
            return _create(spec, store, scheduler)
        found = tuple(differences(spec, header_of(events)))
        if not found or any(isinstance(event, JobStarted) for event in events):
            _refuse(found, folder, resume)
            if found:
                events += extend(store, History(events), spec, found)
            return Opened(store, StudyState(scheduler, events))
    except BaseException:
        store.close()
        raise
    store.close()
    log_path(folder).unlink()
    return open_or_create(spec, folder, scheduler)


def _open_log(folder: Path, known: ReadLog | None) -> tuple[JournalStore, list[Event]]:
    """Opens a log for writing and returns its events; a damaged one is repaired."""
    try:
        return _read_for_writing(folder, known)
    except StudyCorrupt as error:
        if not error.repairable:
            raise
    repair_study(folder)
    return _read_for_writing(folder, None)


def _read_for_writing(folder: Path, known: ReadLog | None) -> tuple[JournalStore, list[Event]]:
    store = open_store(folder)
    try:
        if known is not None and stamp_of(store.path) == known.stamp:
            return store, list(known.events)
        events = list(store.read())
        if store.dropped:
            free_ahead(open_blobs(folder), History(events))
        return store, events
    except BaseException:
        store.close()
        raise


def _require_nothing_trained(folder: Path) -> None:
    """Refuses to create a study in a folder whose log was lost."""
    if any(map(read_key, open_blobs(folder).stored())):
        raise StudyCorrupt(
            f"{str(folder)!r} holds checkpoints of a search but no log ({LOG_NAME} is missing or "
            "empty). Put the log back, or pass overwrite=True to start again.",
            repairable=False,
        )


def _create(spec: StudySpec, store: Store, scheduler: Scheduler) -> Opened:
    seed = fresh_seed() if spec.seed is None else spec.seed
    created = StudyCreated(spec.space, spec.objectives, seed, spec.settings, spec.environment)
    store.append(created)
    return Opened(store, StudyState(scheduler, [created]))


def check(spec: StudySpec, events: Sequence[Event], folder: Path, resume: Resuming) -> None:
    """Raises StudyMismatch, with the differences, if a log is not that of the requested search."""
    _refuse(tuple(differences(spec, header_of(events))), folder, resume)


def _refuse(found: Sequence[Difference], folder: Path, resume: Resuming) -> None:
    in_the_way = tuple(d for d in found if not (resume == "extend" and d.widens))
    if not in_the_way:
        return
    lines = tuple(difference.line for difference in in_the_way)
    listed = "\n".join(f"  - {line}" for line in lines)
    widens = all(difference.widens for difference in found)
    extend = "pass resume='extend' to keep what was found and continue, " if widens else ""
    raise StudyMismatch(
        f"{short_path(str(folder))!r} holds another search than the one asked for:\n{listed}\n"
        f"Ways out: {extend}pass overwrite=True to start again (the old study is deleted), choose "
        "another project_name (or directory), or ask for the same search again.",
        lines,
    )


def remove(folder: Path) -> None:
    """Deletes a study's folder; refuses other folders, and a study that is being searched.

    Raises:
        InvalidInput: if it contains no study.
        StudyBusy: if another process is searching there.
    """
    if not folder.exists():
        return
    if folder.is_symlink():
        raise InvalidInput(
            f"{str(folder)!r} is a link, so what it leads to is not deleted. Delete it yourself, "
            "or choose another project_name or directory."
        )
    if not folder.is_dir() or (any(folder.iterdir()) and not has_log(folder)):
        raise InvalidInput(
            f"{str(folder)!r} is not a study of kerashpo, so it is not overwritten. "
            "Choose another project_name or directory."
        )
    if any(folder.iterdir()):
        WriterLock(log_path(folder)).release()
    shutil.rmtree(folder)
