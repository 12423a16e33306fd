"""Energy of training: the processor's own counter (RAPL) where it can be read, else CPU seconds.

`kerashpo.training.carbon` reads codecarbon's tracker instead, where that is asked for.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import final

RAPL = Path("/sys/class/powercap")
"""Where Linux shows the energy counters of Intel and AMD processors, as a rule to root alone."""


@final
@dataclass(frozen=True, slots=True)
class Usage:
    """What a training has used.

    Attributes:
        cpu_seconds: of this process, over all of its threads.
        joules: of the processor packages of the whole machine; None where they cannot be read.
        tracked: joules by another meter; None without one.
        how: how that meter knows them.
    """

    cpu_seconds: float = 0.0
    joules: float | None = None
    tracked: float | None = None
    how: str = ""

    def __add__(self, other: Usage) -> Usage:
        if self._plain and other._plain:
            return Usage(self.cpu_seconds + other.cpu_seconds)
        return Usage(
            self.cpu_seconds + other.cpu_seconds,
            _sum(self.joules, other.joules),
            _sum(self.tracked, other.tracked),
            other.how or self.how,
        )

    def times(self, factor: float) -> Usage:
        """Returns the usage of `factor` times as much work."""
        joules = None if self.joules is None else factor * self.joules
        tracked = None if self.tracked is None else factor * self.tracked
        return Usage(factor * self.cpu_seconds, joules, tracked, self.how)

    @property
    def _plain(self) -> bool:
        return self.joules is None and self.tracked is None


def _sum(*amounts: float | None) -> float | None:
    known = [one for one in amounts if one is not None]
    return sum(known) if known else None


class Meter(ABC):
    """A further meter of energy."""

    @abstractmethod
    def tracked(self) -> float:
        """Returns the joules that the meter has counted so far."""

    @property
    @abstractmethod
    def how(self) -> str:
        """How it knows them."""

    @abstractmethod
    def close(self) -> None:
        """Ends the measurement."""


@final
class UsageClock:
    """Measures what this process uses from its creation on.

    Args:
        rapl: the folder of the counters.
        meter: a further meter.
    """

    def __init__(self, rapl: Path = RAPL, meter: Meter | None = None) -> None:
        self._packages, self._meter = sorted(rapl.glob("intel-rapl:?")), meter
        self._tracked = 0.0 if meter is None else meter.tracked()
        self._cpu, self._joules = time.process_time(), self._read()

    def read(self) -> Usage:
        """Returns what was used since the creation."""
        if self._joules is None and self._meter is None:
            return Usage(time.process_time() - self._cpu)
        joules: float | None = None
        if self._joules is not None and (now := self._read()) is not None:
            pairs = zip(self._joules, now, self._wraps())
            joules = sum((end - begin) % wrap for begin, end, wrap in pairs)
        cpu = time.process_time() - self._cpu
        if self._meter is None:
            return Usage(cpu, joules)
        return Usage(cpu, joules, self._meter.tracked() - self._tracked, self._meter.how)

    def _read(self) -> list[float] | None:
        return self._numbers("energy_uj")

    def _wraps(self) -> list[float]:
        """Returns the joules after which each counter begins anew."""
        return self._numbers("max_energy_range_uj") or [float("inf")] * len(self._packages)

    def _numbers(self, name: str) -> list[float] | None:
        if not self._packages:
            return None
        try:
            found = [float((one / name).read_text()) / 1e6 for one in self._packages]
        except (OSError, ValueError):
            return None
        return found


@final
class SharedClock:
    """Clock of a run that is trained together with others: its share of what all of them take."""

    def __init__(self) -> None:
        self._seconds, self._usage = 0.0, Usage()

    def add(self, seconds: float, usage: Usage, runs: int) -> None:
        """Adds the share of one of `runs` runs."""
        self._seconds += seconds / runs
        self._usage += usage.times(1.0 / runs)

    def read(self) -> tuple[float, Usage]:
        """Returns wall time in seconds, and CPU time and energy."""
        return self._seconds, self._usage
