"""Repairs a study whose log is damaged, so that the search can go on."""

from __future__ import annotations

import logging
from pathlib import Path

from kerashpo.core.history import History
from kerashpo.core.trial import Trial
from kerashpo.store.base import Blobs
from kerashpo.store.blobs import FileBlobs
from kerashpo.store.keys import read_key
from kerashpo.store.repair import Repaired, repair
from kerashpo.store.sqlite import SQLiteStore
from kerashpo.study.names import CHECKPOINTS, LOG_NAME
from kerashpo.training.checkpoints import unpack

_LOG = logging.getLogger("kerashpo")


def repair_study(folder: Path) -> Repaired:
    """Saves what is whole of a damaged log, and frees the checkpoints that are ahead of it.

    What was lost is trained again, to the same values where training is deterministic.

    Raises:
        StudyBusy: if another process is searching there.
        StudyCorrupt: if nothing can be saved.
    """
    repaired = repair(folder / LOG_NAME)
    store = SQLiteStore(folder / LOG_NAME, readonly=True)
    try:
        history = History(store.read())
    finally:
        store.close()
    free_ahead(FileBlobs(folder / CHECKPOINTS), history)
    _LOG.warning(
        "The log of %s was damaged: its first %d events were whole and are kept, %d after the "
        "damage are not. The damaged file is %s.",
        folder,
        repaired.events,
        repaired.lost,
        repaired.original.name,
    )
    return repaired


def free_ahead(blobs: Blobs, history: History) -> tuple[str, ...]:
    """Frees the checkpoints that know more epochs than the log; returns their keys.

    Going on from one of them would leave a hole in the log.
    """
    ahead = tuple(key for key in blobs.stored() if is_ahead(key, blobs, history))
    for key in ahead:
        blobs.free(key)
    return ahead


def is_ahead(key: str, blobs: Blobs, history: History) -> bool:
    """Tells whether a checkpoint, or best weights, are of an epoch that the log does not hold."""
    named, data = read_key(key), blobs.get(key)
    if named is None or data is None:
        return False
    try:
        _, values = unpack(data)
    except ValueError:
        return False  # Damaged ones are noticed where they are read.
    trial = history.trials.get(named.trial)
    logged = _last_epoch(trial, named.run) if trial else 0
    return int(values.get("epoch", 0)) > logged


def _last_epoch(trial: Trial, run: int) -> int:
    return max(trial.reports.get(run, {}), default=0)
