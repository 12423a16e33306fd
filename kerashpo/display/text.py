"""A `View` in words: no drawing here."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kerashpo.core.events import Event, Noted
from kerashpo.display.progress import size
from kerashpo.display.snapshot import BestSoFar, Running, View

GAP = "   "
"""Between the parts of a line."""


def clock(seconds: float) -> str:
    """Returns seconds as m:ss or h:mm:ss."""
    whole = 0 if math.isnan(seconds) else round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, last = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{last:02d}" if hours else f"{minutes}:{last:02d}"


def number(value: float) -> str:
    """Returns a score as text: four decimals, or four digits where those say nothing."""
    plain = 1e-3 <= abs(value) < 1e5 or value == 0
    return f"{value:.4f}" if plain else f"{value:.4g}"


def heading(view: View) -> list[str]:
    """Returns what searches, in which study, for what, with which seed, on how many workers."""
    name, direction = view.objective
    workers = "1 worker" if view.workers == 1 else f"{view.workers} workers"
    study = Path(view.folder).name
    return [view.title, study, f"{name} {direction}", f"seed {view.seed}", workers]


def trials(view: View) -> str:
    """Returns how many trials were started, of how many."""
    return f"trials {_of(view.trials)}"


def epochs(view: View) -> str:
    """Returns epochs and times."""
    left = "?" if view.left is None else clock(view.left)
    return f"epochs {_of(view.epochs)}{GAP}elapsed {clock(view.elapsed)}{GAP}left {left}"


def best(found: BestSoFar | None, name: str) -> str:
    """Returns the incumbent."""
    if found is None:
        return "best: none yet"
    return f"best {name} {number(found.score)}{GAP}trial {found.trial}, epoch {found.epoch}"


def counts(view: View) -> list[str]:
    """Returns rungs, stopped and failed trials, and the room taken, where there are any."""
    parts = []
    if view.rungs:
        parts.append("rungs " + " ".join(f"{epoch}:{count}" for epoch, count in view.rungs))
    if view.stopped:
        parts.append(f"stopped {view.stopped}")
    if view.failed:
        parts.append(f"failed {view.failed}")
    if view.disk is not None:
        parts.append(f"disk {size(view.disk)}")
    return parts


def values(config: dict[str, Any]) -> str:
    """Returns a trial's values in a few characters each."""
    return "  ".join(f"{name}={value}" for name, value in config.items())


def training(running: Running) -> str:
    """Returns which trial trains, how far it is and its last value."""
    value = "" if running.value is None else f"  {number(running.value)}"
    return f"trial {running.trial}  epoch {running.epoch}/{running.until}{value}"


def ending(view: View) -> str:
    """Returns why the search ended, and how it goes on where it was stopped."""
    if view.ended != "interrupted":
        return f"ended: {view.ended}"
    told = "stopped on your request; run the same search again to go on"
    return f"{told}, or: kerashpo resume {shlex.quote(view.folder)}" if view.command else told


def note(event: Event) -> str:
    """Returns what the user should hear of a noted fact, empty for what is no news."""
    match event:
        case Noted(_, {"workers_reason": str(reason)}):
            return reason
        case Noted(trial, {"worker_lost": str(how)}):
            return f"trial {trial} lost its worker ({how}) and goes on in another"
    return ""


def farewell(view: View) -> list[str]:
    """Returns the last lines: the best values to copy, why it ended, report and study."""
    lines = [best(view.best, view.objective[0])]
    if view.best is not None:
        lines.append(f"values {view.best.config}")
    lines.append(ending(view))
    if view.best is not None:
        lines.append(f"report tuner.report()   or: kerashpo report {shlex.quote(view.folder)}")
    lines.append(f"study  {view.folder}   (kerashpo.open_study({view.folder!r}))")
    return lines


def flow(parts: Iterable[str], width: int) -> list[str]:
    """Returns lines of at most `width` characters; a part is never broken."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(GAP) + len(part) <= width:
            lines[-1] += GAP + part
        else:
            lines.append(part)
    return lines


def _of(pair: tuple[int, int | None]) -> str:
    done, planned = pair
    return f"{done}/{'...' if planned is None else planned}"
