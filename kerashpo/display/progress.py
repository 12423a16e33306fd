"""`Progress` follows a search event by event and makes a `View` of it."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from kerashpo.analysis.expected_score import expected_score
from kerashpo.analysis.saturation import judged_on_folds, saturation
from kerashpo.core.events import (
    Ended,
    Event,
    FleetChanged,
    Noted,
    Reported,
    SessionEnded,
    SessionStarted,
)
from kerashpo.core.history import History
from kerashpo.core.records import Plan, Status
from kerashpo.display.snapshot import View, best_of, compared_objectives, running_trials
from kerashpo.display.time_left import TimeLeft
from kerashpo.i18n.texts import Texts
from kerashpo.space.space import Space

_DISK_EVERY = 5.0


def folder_bytes(folder: str) -> int | None:
    """Returns the bytes of all files below a folder, None where there is none.

    Files that vanish while they are counted (checkpoints do) count nothing.
    """
    if not Path(folder).is_dir():
        return None
    total, waiting = 0, [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += _bytes(entry)
        except OSError:
            continue
    return total


def fleet_text(fleet: FleetChanged, texts: Texts) -> str:
    """Returns the machines and ready workers, what workers wait for, and how many were lost."""
    parts = [
        texts.plural("display.nodes", fleet.nodes),
        texts.plural("display.workers", fleet.workers),
    ]
    if fleet.waiting:
        parts.append(texts("display.placing", count=fleet.waiting, why=texts.note(fleet.why)))
    if fleet.lost:
        parts.append(texts.plural("display.nodes_lost", fleet.lost))
    return ", ".join(parts)


def short_path(folder: str) -> str:
    """Returns a path below the working folder relative to it, any other one as it is."""
    try:
        return str(Path(folder).relative_to(Path.cwd()))
    except (OSError, ValueError):
        return folder


def _bytes(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0


@final
@dataclass(slots=True)
class Progress:
    """Tracks the progress of a search.

    Attributes:
        title: the tuner and its algorithm.
        plan: the plan of the search.
        folder: the study's folder, None for one in memory.
        workers: how many trials are trained in parallel.
        texts: the reader's language.
        report: the call that writes the report.
        disk: measures the folder in bytes; None where it cannot.
        clock: seconds that never run backwards, for how often the folder is measured.
        fleet_note: what the last `FleetChanged` event says that is new, empty if nothing.
    """

    title: str
    plan: Plan
    folder: str | None
    workers: int = 1
    texts: Texts = field(default_factory=lambda: Texts("en"))
    report: str = "tuner.report()"
    disk: Callable[[str], int | None] = folder_bytes
    clock: Callable[[], float] = time.monotonic
    fleet_note: str = ""
    _seen: tuple[int, str, int] | None = None
    _rungs: tuple[int, ...] = ()
    _reached: Counter[int] = field(default_factory=Counter)
    _space: tuple[Mapping[str, Any], Space] | None = None
    _measured: tuple[float, int | None] | None = None
    _time_left: TimeLeft = field(init=False)

    def __post_init__(self) -> None:
        self._time_left = TimeLeft(self.plan)

    @property
    def notes(self) -> tuple[str, ...]:
        """The plan's notes, in the reader's language."""
        return tuple(self.texts.note(note) for note in self.plan.notes)

    def update(self, event: Event, history: History) -> None:
        """Updates the progress with an event that is already in `history`."""
        self._time_left.update(event, history)
        match event:
            case SessionStarted():
                self._begin(history)
            case Reported(report):
                climbed = history.trials[report.trial].epoch >= report.epoch
                if climbed and report.epoch in self._rungs:
                    self._reached[report.epoch] += 1
            case Noted(_, facts) if "workers_reason" in facts:
                self.workers = int(facts["workers"] or 1)
            case FleetChanged():
                self.workers = event.workers or self.workers
                self.fleet_note = self._news(event)
            case Ended() | SessionEnded():
                self._measured = None

    def view(self, history: History) -> View:
        """Returns the `View`: the present state of the search."""
        trials = history.trials.values()
        space = self._space_of(history)
        return View(
            title=self.title,
            objectives=tuple((one.name, one.direction) for one in compared_objectives(history)),
            seed=history.seed,
            workers=self.workers,
            folder=None if self.folder is None else short_path(self.folder),
            trials=(len(history.trials), self.plan.trials),
            epochs=(history.epochs, self.plan.epochs),
            elapsed=history.now,
            left=self.left(history),
            best=best_of(history, space),
            rungs=tuple((rung, self._reached[rung]) for rung in self._rungs),
            stopped=sum(trial.status is Status.STOPPED for trial in trials),
            failed=history.failed,
            disk=self._disk(),
            running=running_trials(history, space),
            fleet=None if history.fleet is None else fleet_text(history.fleet, self.texts),
            ended=history.stopped,
            command=history.command.get("kind") in ("script", "module"),
            folds=judged_on_folds(history),
            expected=None if history.stopped is None else expected_score(history),
            saturation=None if history.stopped is None else saturation(history),
            report=self.report,
        )

    def left(self, history: History) -> float | None:
        """Returns the seconds that the plan may still take, None while unknown."""
        return self._time_left.seconds(history, self.workers)

    def _news(self, fleet: FleetChanged) -> str:
        """Returns what is new about the machines; a further worker alone is not."""
        seen = (fleet.nodes, fleet.why, fleet.lost)
        if seen == self._seen or not (fleet.workers or fleet.waiting or fleet.lost):
            return ""
        self._seen = seen
        return fleet_text(fleet, self.texts)

    def _begin(self, history: History) -> None:
        """Counts the rungs that an earlier session reached."""
        epochs = sorted({rung.epochs for bracket in self.plan.brackets for rung in bracket})
        self._rungs = tuple(epochs) if len(epochs) > 1 else ()
        self._reached = Counter(
            {e: sum(t.epoch >= e for t in history.trials.values()) for e in self._rungs}
        )

    def _space_of(self, history: History) -> Space:
        """Returns the space, read again when it has grown."""
        if self._space is None or self._space[0] is not history.space:
            self._space = (history.space, Space.from_json(history.space))
        return self._space[1]

    def _disk(self) -> int | None:
        """Returns the folder's size, measured at most every few seconds."""
        if self.folder is None:
            return None
        now = self.clock()
        if self._measured is None or now - self._measured[0] > _DISK_EVERY:
            self._measured = (now, self.disk(self.folder))
        return self._measured[1]
