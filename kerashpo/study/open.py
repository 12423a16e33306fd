"""Creates a study, or opens one and refuses what does not belong to it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from kerashpo.core.errors import InvalidInput, StudyCorrupt, StudyMismatch
from kerashpo.core.events import Event, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.rng import checked_seed, fresh_seed
from kerashpo.store.base import MemoryStore, Store
from kerashpo.store.blobs import CHECKPOINTS, LOG_NAME, FileBlobs, read_key
from kerashpo.store.journal import JournalStore
from kerashpo.store.lock import WriterLock
from kerashpo.study.compatibility import StudySpec, differences, extend
from kerashpo.study.doctor import free_ahead, repair_study

Resuming: TypeAlias = Literal["exact", "extend"]
"""What a folder that holds a study must be: the search asked for, or a part of it."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An open study: its log, what the log held, and the fold of it."""

    store: Store
    events: list[Event]
    history: History


def open_or_create(
    wish: StudySpec, folder: Path | None, overwrite: bool = False, resume: Resuming = "exact"
) -> Opened:
    """Returns the study in a folder, a new one where there is none; None means in memory.

    A folder whose search was given up before its first trial is begun anew, so that an
    argument that was found wrong just then does not stand in the way of the right one.

    Args:
        wish: what is searched.
        folder: where.
        overwrite: delete what is there first.
        resume: ``"extend"`` takes a study whose space or budget the wish widens.

    Raises:
        StudyMismatch: if the folder holds another search, with the differences.
        StudyBusy: if another process is searching there.
        InvalidInput: if the folder cannot be written, or the seed is no whole number.
    """
    wish = replace(wish, seed=checked_seed(wish.seed))
    if folder is None:
        return _create(wish, MemoryStore())
    if overwrite:
        remove(folder)
    store, events = _read(folder)
    try:
        if not events:
            _require_nothing_trained(folder)
            return _create(wish, store)
        history = History(events)
        found = tuple(differences(wish, history))
        if history.trials or not found:
            check(wish, history, folder, resume)
            if found:
                events += extend(store, history, wish, found)
            return Opened(store, events, history)
    except BaseException:
        store.close()
        raise
    store.close()
    (folder / LOG_NAME).unlink()
    return open_or_create(wish, folder)


def _read(folder: Path) -> tuple[JournalStore, list[Event]]:
    """Opens a log for writing; one that is damaged is repaired first."""
    try:
        return _read_whole(folder)
    except StudyCorrupt as error:
        if not error.repairable:
            raise
    repair_study(folder)
    return _read_whole(folder)


def _read_whole(folder: Path) -> tuple[JournalStore, list[Event]]:
    store = JournalStore(folder / LOG_NAME)
    try:
        events = list(store.read())
        if store.dropped:
            free_ahead(FileBlobs(folder / CHECKPOINTS), History(events))
        return store, events
    except BaseException:
        store.close()
        raise


def _require_nothing_trained(folder: Path) -> None:
    """Refuses to begin a study in a folder whose log was lost."""
    if any(map(read_key, FileBlobs(folder / CHECKPOINTS).stored())):
        raise StudyCorrupt(
            f"{str(folder)!r} holds checkpoints of a search but no log ({LOG_NAME} is missing or "
            "empty). Put the log back, or pass overwrite=True to start anew.",
            repairable=False,
        )


def _create(wish: StudySpec, store: Store) -> Opened:
    seed = fresh_seed() if wish.seed is None else wish.seed
    created = StudyCreated(wish.space, wish.objectives, seed, wish.settings, wish.environment)
    store.append(created)
    return Opened(store, [created], History([created]))


def check(wish: StudySpec, history: History, folder: Path, resume: Resuming = "exact") -> None:
    """Raises StudyMismatch, with the differences, if a study is not the one asked for."""
    found = tuple(differences(wish, history))
    in_the_way = tuple(d for d in found if not (resume == "extend" and d.widens))
    if not in_the_way:
        return
    lines = tuple(difference.line for difference in in_the_way)
    listed = "\n".join(f"  - {line}" for line in lines)
    widens = all(difference.widens for difference in found)
    way = "pass resume='extend' to keep what was found and go on with more, " if widens else ""
    raise StudyMismatch(
        f"{str(folder)!r} holds another search than the one asked for:\n{listed}\n"
        f"Ways out: {way}pass overwrite=True to start anew (the old study is deleted), choose "
        "another project_name (or directory), or ask for the same search again.",
        lines,
    )


def remove(folder: Path) -> None:
    """Deletes a study's folder; refuses one that holds no study, or that is being searched.

    Raises:
        InvalidInput: if it holds no study.
        StudyBusy: if another process is searching there.
    """
    if not folder.exists():
        return
    if folder.is_symlink():
        raise InvalidInput(
            f"{str(folder)!r} is a link, so what it leads to is not deleted. Delete it yourself, "
            "or choose another project_name or directory."
        )
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / LOG_NAME).exists()):
        raise InvalidInput(
            f"{str(folder)!r} is not a study of kerashpo, so it is not overwritten. "
            "Choose another project_name or directory."
        )
    if any(folder.iterdir()):
        WriterLock(folder / LOG_NAME).release()
    shutil.rmtree(folder)
