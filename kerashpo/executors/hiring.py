"""Whether worker processes pay: pure functions of what was measured."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

START_SECONDS: Final = 8.0
"""What worker processes cost before they train: importing the libraries, tracing graphs again."""
_ENOUGH: Final = 20
"""Epochs to measure before anything is decided."""
_SLOWEST: Final = 5.0
"""How much slower they are reckoned to start on a busy machine, at most."""
_MARGIN: Final = 0.8
"""They must take at most this part of the time that this process would take."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast this process trains.

    Attributes:
        epochs: how many were measured.
        seconds: how long they took.
        cpu: the processor time that they took in seconds, over all cores.
    """

    epochs: int = 0
    seconds: float = 0.0
    cpu: float = 0.0

    def plus(self, epochs: int, seconds: float, cpu: float) -> Pace:
        """Returns the pace with more epochs measured."""
        return Pace(self.epochs + epochs, self.seconds + seconds, self.cpu + cpu)


@dataclass(frozen=True, slots=True)
class Offer:
    """What worker processes would change.

    Attributes:
        workers: how many.
        epoch: seconds an epoch in this process.
        left: epochs that are left, inf where unknown.
        here: seconds that they take in this process.
        there: seconds that they take in worker processes, their start included.
    """

    workers: int
    epoch: float
    left: float
    here: float
    there: float

    @property
    def pays(self) -> bool:
        """Whether they are worth starting."""
        return self.here == math.inf or self.there < _MARGIN * self.here

    def __str__(self) -> str:
        left = "epochs without end are" if self.left == math.inf else f"{self.left:.0f} epochs are"
        times = ""
        if self.left < math.inf:
            times = f": about {self.there:.0f} s instead of {self.here:.0f} s"
        return (
            f"{self.workers} worker processes from here on: an epoch takes {self.epoch:.2g} s and "
            f"{left} left{times}"
        )


def weigh(pace: Pace, left: float, workers: int, capacity: float) -> Offer | None:
    """Returns what worker processes would change, None while too little was measured.

    A process that keeps several cores busy already gains less: the speed-up is bounded by
    the capacity over what it uses now. Where this process does not get a core to itself,
    workers will start more slowly too.

    Args:
        pace: what was measured in this process.
        left: epochs that are left; inf where unknown.
        workers: how many processes there would be.
        capacity: how many processes of one core (or GPU) the machine can run at full speed.
    """
    if pace.epochs < _ENOUGH or pace.seconds <= 0.0 or workers < 2:
        return None
    used = max(1.0, pace.cpu / pace.seconds)
    start = START_SECONDS * min(_SLOWEST, max(1.0, pace.seconds / max(pace.cpu, 1e-9)))
    speedup = max(1.0, min(workers, capacity / used))
    epoch = pace.seconds / pace.epochs
    here = left * epoch
    if speedup == 1.0:
        return Offer(workers, epoch, left, 0.0, start)
    return Offer(workers, epoch, left, here, start + here / speedup)
