"""Opens the study of a tuner's search, a new one or one that goes on."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kerashpo.core.errors import StudyCorrupt, StudyMismatch
from kerashpo.core.history import History
from kerashpo.study.compatibility import StudySpec
from kerashpo.study.doctor import repair_study
from kerashpo.study.open import Opened, Resuming, open_or_create
from kerashpo.study.remaining import nothing_left
from kerashpo.study.run import SearchParts
from kerashpo.study.study import open_study
from kerashpo.tuners.fit_request import SEARCH_SETTINGS


def read_history(folder: Path) -> History:
    """Returns the history of a study; its log is repaired first where it is damaged."""
    try:
        return open_study(folder).history
    except StudyCorrupt as error:
        if not error.repairable:
            raise
    repair_study(folder)
    return open_study(folder).history


def open_search(
    spec: StudySpec, folder: Path, resume: Resuming, make_parts: Callable[[], SearchParts]
) -> Opened:
    """Opens a study; one that is finished also where only the arguments of `search` changed.

    An unseeded random split gives other data each time a script is run. That matters where
    trials would be trained on them, and is a warning where none is left.

    Args:
        spec: what is searched.
        folder: where.
        resume: see `open_or_create`.
        make_parts: returns the parts of the search, with a fresh scheduler.

    Raises:
        StudyMismatch: if the folder holds another search.
    """
    try:
        return open_or_create(spec, folder, resume=resume)
    except StudyMismatch as mismatch:
        opened = _open_finished(spec, folder, resume, make_parts)
        if opened is None:
            raise
        warnings.warn(
            "This search is finished and its results stand, though the arguments of search have "
            f"changed: {'; '.join(mismatch.differences)}.",
            stacklevel=3,
        )
        return opened


def _open_finished(
    spec: StudySpec, folder: Path, resume: Resuming, make_parts: Callable[[], SearchParts]
) -> Opened | None:
    stored = read_history(folder).settings
    known = {name: stored.get(name) for name in SEARCH_SETTINGS}
    try:
        same = replace(spec, settings={**spec.settings, **known})
        opened = open_or_create(same, folder, resume=resume)
    except StudyMismatch:
        return None
    if nothing_left(opened.events, make_parts()):
        return opened
    opened.store.close()
    return None
