"""Opens the study of a tuner's search, a new one or one that goes on."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kerashpo.core.errors import StudyMismatch
from kerashpo.study.compatibility import StudySpec, header_of, is_same
from kerashpo.study.open import Opened, ReadLog, Resuming, open_or_create, read_log
from kerashpo.study.remaining import nothing_left
from kerashpo.study.run_study import SearchParts
from kerashpo.tuners.fit_request import SEARCH_SETTINGS


def open_search(
    spec: StudySpec,
    folder: Path,
    resume: Resuming,
    known: ReadLog | None,
    parts: SearchParts,
    make_parts: Callable[[], SearchParts],
) -> Opened:
    """Opens a study; one that is finished also where only the arguments of `search` changed.

    An unseeded random split gives other data each time a script is run. That matters where
    trials would be trained on them, and is a warning where none is left.

    Args:
        spec: what is searched.
        folder: where.
        resume: see `open_or_create`.
        known: the log as it was read before, if it was.
        parts: the parts of the search; their scheduler gets the events of the log.
        make_parts: returns the same parts with a fresh scheduler.

    Raises:
        StudyMismatch: if the folder holds another search.
    """
    try:
        return open_or_create(spec, folder, parts.scheduler, resume=resume, known=known)
    except StudyMismatch as mismatch:
        log = read_log(folder)
        stored = header_of(log.events).settings
        asked = {name: stored.get(name) for name in SEARCH_SETTINGS}
        same = replace(spec, settings={**spec.settings, **asked})
        if not (is_same(same, log.events) and nothing_left(log.events, make_parts())):
            raise
        warnings.warn(
            "This search is finished and its results stand, though the arguments of search have "
            f"changed: {'; '.join(mismatch.differences)}.",
            stacklevel=3,
        )
        return open_or_create(same, folder, parts.scheduler, known=log)
