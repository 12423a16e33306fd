"""The limits of a study as text, and how many trials exceed them."""

from __future__ import annotations

from collections.abc import Iterable

from kerashpo.core.history import History
from kerashpo.core.limits import Limit
from kerashpo.i18n.texts import Texts


def limit_notes(limits: Iterable[Limit]) -> tuple[str, ...]:
    """Returns a note in English for each limit; `Texts.note` translates it."""
    return tuple(f"Limit: {one}" for one in limits)


def limits_text(history: History, texts: Texts) -> list[str]:
    """Returns a line for each limit, and one that says how many trials exceed a limit."""
    if not history.limits:
        return []
    beyond = sum(not trial.feasible for trial in history.trials.values())
    lines = [texts.note(note) for note in limit_notes(history.limits)]
    return [*lines, texts("summary.infeasible", count=beyond, trials=len(history.trials))]
