"""What every method leaves: the best value so far against epochs and seconds, as CSV rows."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RESULTS = Path(__file__).parent / "results"
COLUMNS = ("task", "seed", "workers", "epochs", "seconds", "value")
Key = tuple[str, int, int]


@dataclass(slots=True)
class Tally:
    """Counts epochs and keeps the improvements of a maximised value.

    Attributes:
        epochs: trained so far.
        seconds: of training so far, on one worker.
        steps: (epochs, seconds, value) of each improvement.
    """

    epochs: int = 0
    seconds: float = 0.0
    steps: list[tuple[float, float, float]] = field(default_factory=list)

    def add(self, value: float, seconds: float) -> None:
        """Takes in one epoch of `seconds`."""
        self.epochs += 1
        self.seconds += seconds
        if not self.steps or value > self.steps[-1][2]:
            self.steps.append((self.epochs, self.seconds, value))


@dataclass(frozen=True, slots=True)
class Steps:
    """A staircase: epochs (n,), seconds (n,) and the best value (n,) from there on."""

    epochs: NDArray[np.float64]
    seconds: NDArray[np.float64]
    values: NDArray[np.float64]

    def at_epochs(self, spent: float) -> float:
        """Returns the best value after a number of epochs, NaN before the first."""
        index = int(np.searchsorted(self.epochs, spent, side="right")) - 1
        return float(self.values[index]) if index >= 0 else float("nan")

    def when(self, value: float) -> float:
        """Returns the seconds at which a value was first reached, inf if never."""
        index = int(np.searchsorted(self.values, value))
        return float(self.seconds[index]) if index < len(self.values) else float("inf")


def path_of(method: str) -> Path:
    """Returns the file of a method's results."""
    return RESULTS / f"{method}.csv"


def thinned(
    steps: Iterable[tuple[float, float, float]], block: int = 5
) -> list[tuple[float, float, float]]:
    """Returns the last improvement of each block of epochs: exact at multiples of `block`."""
    kept = {math.ceil(step[0] / block): step for step in steps}
    return list(kept.values())


def append(method: str, key: Key, steps: Iterable[tuple[float, float, float]]) -> None:
    """Adds one search to a method's file."""
    path = path_of(method)
    new = not path.exists()
    path.parent.mkdir(exist_ok=True)
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(COLUMNS)
        for epochs, seconds, value in thinned(steps):
            writer.writerow([*key, int(epochs), f"{seconds:.6g}", f"{value:.7g}"])


def load(method: str) -> dict[Key, Steps]:
    """Returns the searches of a method by (task, seed, workers)."""
    rows: dict[Key, list[tuple[float, float, float]]] = {}
    path = path_of(method)
    if path.exists():
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                key = (row["task"], int(row["seed"]), int(row["workers"]))
                step = (float(row["epochs"]), float(row["seconds"]), float(row["value"]))
                rows.setdefault(key, []).append(step)
    return {key: Steps(*np.array(steps).T) for key, steps in rows.items()}


def methods() -> list[str]:
    """Returns the methods that have results."""
    return sorted(path.stem for path in RESULTS.glob("*.csv"))
