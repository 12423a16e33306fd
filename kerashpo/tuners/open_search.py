"""Creates or resumes the study of a tuner's search."""

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
    """Opens a study; a finished one also if only the arguments of `search` or
    of `compile` changed.

    An unseeded random split gives different data each time a script is run. That is an error if
    trials would be trained on them, and a warning if none remains.

    Args:
        spec: the settings of the search.
        folder: the study's folder.
        resume: see `open_or_create`.
        known: the log as it was read before, if it was.
        parts: the parts of the search; their scheduler replays the events of the log.
        make_parts: returns the same parts with a fresh scheduler.

    Raises:
        StudyMismatch: if the folder contains a different search.
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
            "This search is finished and its results remain valid, though the arguments of search "
            f"or of compile have changed: {'; '.join(mismatch.differences)}.",
            stacklevel=3,
        )
        return open_or_create(same, folder, parts.scheduler, known=log)
