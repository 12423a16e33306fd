"""What regret is measured by: the best known value of each task, and the random median.

    python -m experiments.schedulers.references

writes ``references.json``: for each task the score (best accuracy over the epochs) of the
best configuration known and of the median random configuration. The best known is the
best of 10,000 random configurations, of a local search around the 20 best of them, and of
whatever any method of this benchmark found.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.schedulers.lcbench import TASKS, LCBench
from experiments.schedulers.traces import load, methods

PATH = Path(__file__).parent / "references.json"
_RANDOM = 10_000
_KEPT = 20
_AROUND = 100
_WIDTHS = (0.1, 0.05, 0.02, 0.01)


@dataclass(frozen=True, slots=True)
class Reference:
    """What 0 and 1 are on the scale of normalised regret.

    Attributes:
        best: the best known score.
        median: the score of the median random configuration.
    """

    best: float
    median: float

    def regret(self, value: float) -> float:
        """Returns the normalised regret of a score."""
        return (self.best - value) / (self.best - self.median)


def references() -> dict[str, Reference]:
    """Returns what ``references.json`` holds, by task."""
    body = json.loads(PATH.read_text())
    return {task: Reference(found["best"], found["median"]) for task, found in body.items()}


def measure(task: str) -> Reference:
    """Searches a task far beyond what any tuner may spend."""
    problem, rng = LCBench(task), np.random.default_rng(0)
    configs: list[dict[str, Any]] = [dict(problem.space.sample(rng)) for _ in range(_RANDOM)]
    scores = problem.scores(_rows(problem, configs))
    median, best = float(np.median(scores)), float(scores.max())
    kept = [configs[i] for i in np.argsort(-scores)[:_KEPT]]
    for width in _WIDTHS:
        near = [_moved(problem, config, width, rng) for config in kept for _ in range(_AROUND)]
        near += kept
        scores = problem.scores(_rows(problem, near))
        kept, best = [near[i] for i in np.argsort(-scores)[:_KEPT]], max(best, float(scores.max()))
    found = [s.values[-1] for m in methods() for key, s in load(m).items() if key[0] == task]
    return Reference(max([best, *map(float, found)]), median)


def _rows(problem: LCBench, configs: list[dict[str, Any]]) -> NDArray[np.float64]:
    return np.array([[float(config[name]) for name in problem.space.names] for config in configs])


def _moved(
    problem: LCBench, config: dict[str, Any], width: float, rng: np.random.Generator
) -> dict[str, Any]:
    moved = dict(config)
    for param in problem.space.free:
        if rng.random() < 0.5:
            unit = param.domain.unit(config[param.name]) + width * rng.standard_normal()
            moved[param.name] = param.domain.at(min(max(unit, 0.0), 1.0))
    return moved


def main() -> None:
    """The command line."""
    found = {task: measure(task) for task in TASKS}
    body = {task: {"best": r.best, "median": r.median} for task, r in found.items()}
    PATH.write_text(json.dumps(body, indent=2) + "\n")


if __name__ == "__main__":
    main()
