"""The doctor: checks a study's folder, its size, and repairs its log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kerashpo.core.errors import StudyCorrupt, StudyNotFound
from kerashpo.core.history import History
from kerashpo.core.records import Status
from kerashpo.core.trial import Trial
from kerashpo.i18n.texts import Texts
from kerashpo.store.base import Blobs
from kerashpo.store.blobs import best_key, checkpoint_key, is_cut_short, read_key
from kerashpo.store.checkpoints import unpack
from kerashpo.store.journal import Repaired, repair, whole_part
from kerashpo.store.open import LOG_NAME, log_path, open_blobs, open_store, read_events

_LOG = logging.getLogger("kerashpo")


def repair_study(folder: Path) -> Repaired:
    """Repairs a damaged log, and frees the checkpoints that are ahead of it.

    Lost epochs are trained again, to the same values if training is deterministic.

    Raises:
        StudyBusy: if another process is searching there.
        StudyCorrupt: if nothing can be recovered.
    """
    repaired = repair(log_path(folder))
    free_ahead(open_blobs(folder), History(read_events(folder)))
    _LOG.warning(
        "The log of %s was damaged: its first %d events were intact and are kept, the %d lines "
        "after them are not. The damaged file is %s.",
        folder,
        repaired.events,
        repaired.lost,
        repaired.original.name,
    )
    return repaired


def free_ahead(blobs: Blobs, history: History) -> tuple[str, ...]:
    """Frees the checkpoints of later epochs than the log contains; returns their keys.

    Resuming from one of them would leave a gap in the log.
    """
    ahead = tuple(key for key in blobs.stored() if is_ahead(key, blobs, history))
    for key in ahead:
        blobs.free(key)
    return ahead


def is_ahead(key: str, blobs: Blobs, history: History) -> bool:
    """Whether a checkpoint, or best weights, are of an epoch that the log does not contain."""
    named, data = read_key(key), blobs.get(key)
    if named is None or data is None:
        return False
    try:
        _, values = unpack(data)
    except ValueError:
        return False  # Damaged ones are detected where they are read.
    if named.kind == "origin":
        return False  # It is a copy of the parent's checkpoint.
    trial = history.trials.get(named.trial)
    logged = trial.last_epoch(named.run) if trial else 0
    return int(values.get("epoch", 0)) > logged


@dataclass(frozen=True, slots=True)
class Health:
    """The result of an examination of a study's folder.

    Attributes:
        events: events that can be read.
        log: the problems of the log.
        orphans: files that no trial needs: of trials that have ended, or incomplete ones.
        missing: files that should exist and do not.
        damaged: checkpoints that cannot be read; their trials start again.
        ahead: checkpoints of later epochs than the log contains.
    """

    events: int
    log: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        """Whether a search can resume without losing anything."""
        return not (self.log or self.missing or self.damaged or self.ahead)

    def lines(self, texts: Texts) -> Iterator[str]:
        """Yields the findings in the reader's language, a line each."""
        yield texts("doctor.damaged_log" if self.log else "doctor.intact", count=self.events)
        yield from (f"  {texts.note(text)}" for text in self.log)
        for key, found in (
            ("doctor.lost", self.missing),
            ("doctor.damaged", self.damaged),
            ("doctor.ahead", self.ahead),
            ("doctor.orphans", self.orphans),
        ):
            if found:
                yield texts(key, names=", ".join(found))


def examine(folder: Path) -> Health:
    """Examines a study's folder without changing it.

    Raises:
        StudyNotFound: if there is no log.
    """
    path = log_path(folder)
    if not path.exists():
        raise StudyNotFound(f"There is no study in {str(folder)!r} (no {LOG_NAME}).")
    try:
        store = open_store(folder, readonly=True)
    except StudyCorrupt as error:
        return Health(whole_part(path.read_bytes())[0], (str(error),))
    try:
        if wrong := store.check():
            return Health(whole_part(path.read_bytes())[0], wrong)
        events = list(store.read())
    finally:
        store.close()
    return _checkpoints(open_blobs(folder), History(events), len(events))


def _checkpoints(blobs: Blobs, history: History, events: int) -> Health:
    keys = blobs.stored()
    return Health(
        events,
        orphans=tuple(key for key in keys if is_orphan(key, history)),
        missing=tuple(_missing(set(keys), history)) if keys else (),
        damaged=tuple(key for key in keys if read_key(key) and not _whole(blobs.get(key))),
        ahead=tuple(key for key in keys if is_ahead(key, blobs, history)),
    )


def is_orphan(key: str, history: History) -> bool:
    """Whether no trial needs a file any more: its trial is unknown or has ended."""
    named = read_key(key)
    if named is None:
        return is_cut_short(key)  # Files that are not ours are left alone.
    if named.trial not in history.trials:
        return True
    return named.kind != "best" and settled(history.trials[named.trial])


def settled(trial: Trial) -> bool:
    """Whether a trial has ended for good: no extension of the budget continues it."""
    return trial.status.ended and not trial.stopped_by_budget


def _missing(keys: set[str], history: History) -> Iterator[str]:
    named = (read_key(key) for key in keys)
    stored = {(one.trial, one.run) for one in named if one and one.kind == "checkpoint"}
    for trial in history.trials.values():
        waits = trial.status is Status.PAUSED or trial.stopped_by_budget
        for run in trial.reports if waits else ():
            if (trial.number, run) not in stored:
                yield checkpoint_key(trial.number, run, trial.last_epoch(run))
    best = history.best
    some = any("/best-" in key for key in keys)
    if some and best is not None and best_key(best.number, best.best_run) not in keys:
        yield best_key(best.number, best.best_run)


def _whole(data: bytes | None) -> bool:
    try:
        unpack(data or b"")
    except ValueError:
        return False
    return True
