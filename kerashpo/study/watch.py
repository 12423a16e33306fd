"""`watch`: the display of a search that another process carries out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from kerashpo.algorithms.automatic_choice import choice_notes
from kerashpo.core.events import SessionEnded, SessionStarted
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.display.select import make_display, search_title
from kerashpo.schedulers.registry import scheduler_of
from kerashpo.store.lock import is_searched
from kerashpo.store.open import log_path, new_events
from kerashpo.study.study import open_study

INTERVAL = 0.5
"""Seconds between two looks at the log."""


def watch(
    path: str | Path,
    lang: str | None = None,
    listener: Listener | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> str | None:
    """Shows the progress of a search that runs elsewhere, until it ends.

    It reads the study's log alone, so that it neither disturbs the search nor needs its script.

    Args:
        path: the study's folder.
        lang: language of the display, ``"en"`` or ``"es"``; None for ``KERASHPO_LANG``, else
            English.
        listener: receives the events; None for the display that fits the output.
        sleep: waits between two looks at the log.

    Returns:
        Why the search ended, see `Results.stopped`; None if its process is gone without having
        ended it, so that it can be resumed.

    Raises:
        StudyNotFound: if there is no study.
        StudyCorrupt: if its log cannot be read.
    """
    folder = open_study(path, lang).folder
    history, offset = History(), 0
    began, ended = SessionStarted(0.0), None
    for event, after in new_events(folder):
        offset = after
        history.apply(event)
        match event:
            case SessionStarted():
                began = event
            case SessionEnded():
                ended = event
    shown = _display(history, folder, lang) if listener is None else listener
    try:
        # As in a resumed search: what happened before is in the history.
        shown.on_event(began, history)
        if ended is not None and history.stopped is not None:
            shown.on_event(ended, history)
        while history.stopped is None:
            alive = is_searched(log_path(folder))
            for event, after in new_events(folder, offset):
                offset = after
                history.apply(event)
                shown.on_event(event, history)
            if history.stopped is None:
                if not alive:
                    return None
                sleep(INTERVAL)
    finally:
        shown.close()
    return history.stopped


def _display(history: History, folder: Path, lang: str | None) -> Listener:
    settings = history.settings
    title = search_title(settings.get("tuner", "optimize"), settings.get("algorithm", "random"))
    # A log of an earlier version does not know how far its search was to go.
    plan = history.plan or scheduler_of(settings).plan().of_runs(history.runs)
    plan = replace(plan, notes=(*plan.notes, *choice_notes(history.environment)))
    return make_display(1, title, plan, str(folder), len(history.running) or 1, lang)
