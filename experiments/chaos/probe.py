"""Records the phase of a process and every trained epoch in a file that outlives it."""

from __future__ import annotations

import enum
import mmap
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from kerashpo.core.events import Reported
from kerashpo.core.records import Decision
from kerashpo.executors.base import Runner
from kerashpo.store.blobs import FileBlobs
from kerashpo.store.journal import JournalStore


class Phase(enum.IntEnum):
    """The phase in which a process can be killed."""

    IDLE = 0
    TRAINING = 1
    CHECKPOINT = 2
    COMMIT = 3


@dataclass(frozen=True, slots=True)
class Line:
    """An epoch that was trained: when its training ended, and how long it took."""

    at: float
    pid: int
    trial: int
    epoch: int
    seconds: float


@final
class Probe:
    """Wraps the places where a process may be hit, in this process.

    Args:
        folder: phases go to ``phases/PID``, epochs to ``trained``.
    """

    def __init__(self, folder: Path) -> None:
        (folder / "phases").mkdir(parents=True, exist_ok=True)
        path = folder / "phases" / str(os.getpid())
        path.write_bytes(bytes(8))
        with path.open("r+b") as file:
            self._phase = mmap.mmap(file.fileno(), 8)
        self._epochs = os.open(folder / "trained", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    @classmethod
    def install(cls, folder: Path, runner: type[Runner]) -> None:
        """Installs the probe: this process records its phase from now on. May be called again."""
        if not hasattr(runner.run, "probed"):
            cls(folder)._install(runner)

    def _install(self, runner: type[Runner]) -> None:
        self._wrap(JournalStore, "append", Phase.COMMIT)
        self._wrap(FileBlobs, "put", Phase.CHECKPOINT)
        run, probe = runner.run, self

        def reported(inner: Runner, items: Any, emit: Any) -> None:
            began = [time.perf_counter()]

            def heard(message: Any) -> Decision:
                if isinstance(message, Reported):
                    probe._note(message, time.perf_counter() - began[0])
                decision: Decision = emit(message)
                began[0] = time.perf_counter()
                return decision

            with probe._in(Phase.TRAINING):
                run(inner, items, heard)

        reported.probed = True  # type: ignore[attr-defined]
        runner.run = reported  # type: ignore[method-assign]

    def _note(self, message: Reported, seconds: float) -> None:
        report = message.report
        line = f"{time.time()} {os.getpid()} {report.trial} {report.epoch} {seconds}\n"
        os.write(self._epochs, line.encode())

    def _wrap(self, owner: type, name: str, phase: Phase) -> None:
        inner, probe = getattr(owner, name), self

        def reported(*given: Any) -> Any:
            with probe._in(phase):
                return inner(*given)

        setattr(owner, name, reported)

    @contextmanager
    def _in(self, phase: Phase) -> Iterator[None]:
        before = self._phase[0]
        self._phase[0] = phase
        try:
            yield
        finally:
            self._phase[0] = before


def phase_of(folder: Path, pid: int) -> Phase:
    """Returns what a process does, or did when it was killed."""
    try:
        return Phase((folder / "phases" / str(pid)).read_bytes()[0])
    except (FileNotFoundError, IndexError):
        return Phase.IDLE


def trained(folder: Path) -> list[Line]:
    """Returns every epoch that was trained, in the order of time, repeats included."""
    lines = (line.split() for line in (folder / "trained").read_text().splitlines())
    return [Line(float(at), int(p), int(t), int(e), float(s)) for at, p, t, e, s in lines]


@dataclass(slots=True)
class Again:
    """What was trained again because of one kill.

    Attributes:
        epochs: how many epochs.
        seconds: how long they had taken at first.
    """

    epochs: int = 0
    seconds: float = 0.0

    def over(self, at_work: int, checkpoint_every: float, longest: float) -> bool:
        """Whether it is more than promised: the larger of an epoch and the time between
        checkpoints, for each worker.

        Args:
            at_work: how many workers the kill hit.
            checkpoint_every: seconds between checkpoints.
            longest: seconds of the longest epoch.
        """
        bound = at_work * max(checkpoint_every, longest)
        return self.epochs > at_work and self.seconds > bound


def trained_again(lines: Sequence[Line], moments: Sequence[float]) -> tuple[list[Again], int]:
    """Counts the epochs that had been trained before.

    Args:
        lines: all trained epochs, in the order of time.
        moments: the times of the kills, in order.

    Returns:
        what came after each kill and before the next one, and how many came before any.
    """
    first: dict[tuple[int, int], float] = {}
    found, before = [Again() for _ in moments], 0
    for line in lines:
        place = (line.trial, line.epoch)
        if place in first:
            number = sum(at < line.at for at in moments) - 1
            if number < 0:
                before += 1
            else:
                found[number].epochs += 1
                found[number].seconds += first[place]
        first.setdefault(place, line.seconds)
    return found, before
