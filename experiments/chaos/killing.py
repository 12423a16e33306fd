"""Runs one search in a separate process: kills it, restarts it, and checks its log in between."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil

from experiments.chaos.probe import Again, Phase, phase_of, trained, trained_again
from experiments.chaos.searches import Search
from kerashpo.core.errors import StudyNotFound
from kerashpo.core.history import History
from kerashpo.core.trial import Trial
from kerashpo.store.open import LOG_NAME
from kerashpo.study.study import open_study

Victim = Literal["search", "worker"]
Epochs = dict[tuple[int, int], dict[str, float]]
"""By trial and epoch, every metric."""


@dataclass(frozen=True, slots=True)
class Kill:
    """A process that was killed.

    Attributes:
        victim: the search's own process, or a worker's.
        phase: what it was doing.
        at: the Unix time.
    """

    victim: Victim
    phase: Phase
    at: float


@dataclass(slots=True)
class Outcome:
    """The outcome of a search with kills.

    Attributes:
        kills: who was killed, and when.
        lost: epochs that were in the log and are not, or otherwise.
        again: by kill, what was trained that had been trained before.
        errors: what went wrong otherwise.
    """

    kills: list[Kill] = field(default_factory=list)
    lost: int = 0
    again: list[Again] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def epochs_again(self) -> int:
        """The number of epochs trained again."""
        return sum(one.epochs for one in self.again)


class Patient:
    """A search that may be killed.

    Args:
        search: what is searched.
        folder: where.
        rng: draws victims and moments.
    """

    def __init__(self, search: Search, folder: Path, rng: random.Random) -> None:
        self.search, self.folder, self.rng = search, folder, rng
        self.outcome = Outcome()
        self._pid = 0
        self._acknowledged: Epochs = {}

    def treat(self, kills: int) -> Outcome:
        """Runs the search to its end with a number of kills."""
        self._start()
        while kills and self._hit(*self._aim()):
            kills -= 1
            self._look()
            if not self._alive():
                self._start()
        self._finish()
        self._look()
        self._count_again()
        return self.outcome

    def run(self) -> Outcome:
        """Runs the search to its end, undisturbed."""
        self._start()
        self._finish()
        return self.outcome

    def _finish(self) -> None:
        while (code := self._wait()) != 0:
            if code != -signal.SIGKILL:
                self.outcome.errors.append(f"exit code {code}: {self._output()}")
                break
            self._start()

    def _start(self) -> None:
        sys.stdout.flush()
        self._pid = os.fork()
        if self._pid == 0:
            self._become()

    def _become(self) -> None:
        """Searches in a fresh child of a process that has only imported what it needs."""
        code = 1
        with (self.folder / "output").open("a") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        try:
            self.search.run(self.folder)
            code = 0
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    def _aim(self) -> tuple[Victim, Phase | None, float]:
        """Draws the process to kill, the phase, and the delay."""
        several = self.search.workers > 1
        victim: Victim = "worker" if several and self.rng.random() < 0.6 else "search"
        phases = [None, Phase.TRAINING, Phase.CHECKPOINT, Phase.COMMIT]
        if several:
            phases = phases[:3] if victim == "worker" else [None, Phase.COMMIT]
        return victim, self.rng.choice(phases), self.rng.uniform(0.0, 0.3)

    def _hit(self, victim: Victim, phase: Phase | None, delay: float) -> bool:
        """Kills the victim at that moment; returns False if the search has ended before."""
        if not self._until_it_trains():
            return False
        time.sleep(delay)
        deadline = time.monotonic() + 20
        while self._alive():
            for pid in self._processes(victim):
                late = phase is None or time.monotonic() > deadline
                if late or phase_of(self.folder, pid) is phase:
                    return self._kill(pid, victim)
        return False

    def _kill(self, pid: int, victim: Victim) -> bool:
        # Stopped first: so the phase that is read is the one that it dies in.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            phase = phase_of(self.folder, pid)
            os.kill(pid, signal.SIGKILL)
            self.outcome.kills.append(Kill(victim, phase, time.time()))
            if pid == self._pid:
                self._wait()
            return True
        return False

    def _processes(self, victim: Victim) -> list[int]:
        if victim == "search":
            return [self._pid]
        with contextlib.suppress(psutil.Error):
            return [child.pid for child in psutil.Process(self._pid).children()]
        return []

    def _until_it_trains(self) -> bool:
        """Waits for the first epoch of this process."""
        before = self._epochs_trained()
        while self._epochs_trained() == before:
            if not self._alive():
                return False
            time.sleep(0.001)
        return True

    def _epochs_trained(self) -> int:
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "trained").stat().st_size
        return 0

    def _alive(self) -> bool:
        return self._pid != 0 and psutil.pid_exists(self._pid) and not self._ended()

    def _ended(self) -> bool:
        with contextlib.suppress(psutil.Error):
            return bool(psutil.Process(self._pid).status() == psutil.STATUS_ZOMBIE)
        return True

    def _wait(self) -> int:
        """Waits for the search's process; returns its exit code, a signal as a negative one."""
        if self._pid == 0:
            return -signal.SIGKILL
        _, status = os.waitpid(self._pid, 0)
        self._pid = 0
        return os.waitstatus_to_exitcode(status)

    def _look(self) -> None:
        """Compares the log before a kill with the log now."""
        now = epochs_of(self.folder)
        self.outcome.lost += sum(now.get(key) != value for key, value in self._acknowledged.items())
        self._acknowledged = now

    def _count_again(self) -> None:
        """Counts, for each kill, the epochs trained after it that had been trained before."""
        moments = [kill.at for kill in self.outcome.kills]
        self.outcome.again, before = trained_again(trained(self.folder), moments)
        if before:
            self.outcome.errors.append("an epoch was trained twice before any kill")

    def _output(self) -> str:
        return (self.folder / "output").read_text()[-2000:]


def epochs_of(folder: Path) -> Epochs:
    """Returns every epoch in a study's log; nothing while there is no study."""
    if not (folder / "study" / LOG_NAME).exists():
        return {}
    with contextlib.suppress(StudyNotFound):
        return dict(_epochs(open_study(folder / "study").history))
    return {}


def _epochs(history: History) -> Iterator[tuple[tuple[int, int], dict[str, float]]]:
    for trial in history.trials.values():
        for epoch, report in trial.reports.get(0, {}).items():
            yield (trial.number, epoch), dict(report.metrics)


def reported(folder: Path) -> dict[int, Any]:
    """Returns the results that must not depend on kills: values, status and metrics by trial."""
    history = open_study(folder / "study").history
    return {trial.number: _trial(trial) for trial in history.trials.values()}


def _trial(trial: Trial) -> Any:
    curve = {epoch: dict(report.metrics) for epoch, report in trial.reports.get(0, {}).items()}
    return dict(trial.config), trial.status.value, curve
