"""Energy of training: the processor's own counter (RAPL) where it can be read, else CPU seconds."""

from __future__ import annotations

import time
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
    """

    cpu_seconds: float = 0.0
    joules: float | None = None

    def __add__(self, other: Usage) -> Usage:
        if self.joules is None and other.joules is None:
            return Usage(self.cpu_seconds + other.cpu_seconds)
        known = [one for one in (self.joules, other.joules) if one is not None]
        return Usage(self.cpu_seconds + other.cpu_seconds, sum(known) if known else None)


@final
class UsageClock:
    """Measures what this process uses from its creation on.

    Args:
        rapl: the folder of the counters.
    """

    def __init__(self, rapl: Path = RAPL) -> None:
        self._packages = sorted(rapl.glob("intel-rapl:?"))
        self._cpu, self._joules = time.process_time(), self._read()

    def read(self) -> Usage:
        """Returns what was used since the creation."""
        if self._joules is None:
            return Usage(time.process_time() - self._cpu)
        now, joules = self._read(), None
        if now is not None:
            joules = sum(
                (end - begin) % wrap for begin, end, wrap in zip(self._joules, now, self._wraps())
            )
        return Usage(time.process_time() - self._cpu, joules)

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
