"""Follows a search event by event, and says where it stands as a `View`."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from kerashpo.core.events import Ended, Event, Noted, Reported, SessionEnded, SessionStarted
from kerashpo.core.history import History
from kerashpo.core.records import Plan, Status
from kerashpo.display.snapshot import View, best_of, running_trials
from kerashpo.space.space import Space

_UNITS = ("B", "kB", "MB", "GB", "TB")


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


def _bytes(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0


def size(count: int) -> str:
    """Returns bytes as people say them: ``"3.1 MB"``, decimal units."""
    amount = float(count)
    for unit in _UNITS[:-1]:
        if amount < 999.5:
            return (
                f"{amount:.0f} {unit}" if unit == "B" or amount >= 9.95 else f"{amount:.1f} {unit}"
            )
        amount /= 1000
    return f"{amount:.1f} {_UNITS[-1]}"


_RECENT = 200
_FEWEST = 5
_DISK_EVERY = 5.0


@final
@dataclass(slots=True)
class Progress:
    """Follows a search.

    Attributes:
        title: what searches.
        plan: what it plans to do.
        folder: where the study lives.
        workers: how many trials are trained at once.
        disk: measures the folder in bytes; None where it cannot.
        clock: seconds that never run backwards, for how often the folder is measured.
    """

    title: str
    plan: Plan
    folder: str
    workers: int = 1
    disk: Callable[[str], int | None] = folder_bytes
    clock: Callable[[], float] = time.monotonic
    _recent: list[tuple[float, int]] = field(default_factory=list)
    _rungs: tuple[int, ...] = ()
    _reached: Counter[int] = field(default_factory=Counter)
    _space: tuple[Mapping[str, Any], Space] | None = None
    _measured: tuple[float, int | None] | None = None

    def update(self, event: Event, history: History) -> None:
        """Takes in an event that `history` holds."""
        match event:
            case SessionStarted():
                self._begin(history)
            case Reported(report, at=at):
                self._recent.append((at, history.epochs))
                # The last epochs say more about the next ones than the first did.
                del self._recent[:-_RECENT]
                climbed = history.trials[report.trial].epoch >= report.epoch
                if climbed and report.epoch in self._rungs:
                    self._reached[report.epoch] += 1
            case Noted(_, facts) if "workers_reason" in facts:
                self.workers = int(facts["workers"] or 1)
            case Ended() | SessionEnded():
                self._measured = None

    def view(self, history: History) -> View:
        """Returns where the search stands."""
        trials = history.trials.values()
        objective, space = history.objective, self._space_of(history)
        return View(
            title=self.title,
            objective=(objective.name, objective.direction),
            seed=history.seed,
            workers=self.workers,
            folder=self.folder,
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
            ended=history.stopped,
            command=history.command.get("kind") in ("script", "module"),
        )

    def left(self, history: History) -> float | None:
        """Returns the seconds that the planned epochs may still take, None while unknown.

        The pace is that of all workers together over the last epochs.
        """
        if self.plan.epochs is None or len(self._recent) < _FEWEST:
            return None
        (t0, n0), (t1, n1) = self._recent[0], self._recent[-1]
        if n1 <= n0:
            return None
        return max(0, self.plan.epochs - history.epochs) * (t1 - t0) / (n1 - n0)

    def _begin(self, history: History) -> None:
        """Counts what an earlier session reached; its pace says nothing about this one."""
        epochs = sorted({rung.epochs for bracket in self.plan.brackets for rung in bracket})
        self._rungs = tuple(epochs) if len(epochs) > 1 else ()
        self._recent.clear()
        self._reached = Counter(
            {e: sum(t.epoch >= e for t in history.trials.values()) for e in self._rungs}
        )

    def _space_of(self, history: History) -> Space:
        """Returns the space, read anew when it has grown."""
        if self._space is None or self._space[0] is not history.space:
            self._space = (history.space, Space.from_json(history.space))
        return self._space[1]

    def _disk(self) -> int | None:
        """Returns the folder's size, measured anew at most every few seconds."""
        now = self.clock()
        if self._measured is None or now - self._measured[0] > _DISK_EVERY:
            self._measured = (now, self.disk(self.folder))
        return self._measured[1]
