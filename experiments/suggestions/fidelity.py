"""Models under schedulers: regret by epochs trained, on the LCBench surrogate's curves.

    python -m experiments.suggestions.fidelity --tuners asha hyperband --algorithms random bayesian

Appends to ``results/fidelity.csv``: tuner, algorithm, task, seed, and log10 of the
normalised regret after 5, 10, 20 and 50 full trainings' worth of epochs.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Mapping
from typing import Any, Literal, final

import numpy as np

from experiments.suggestions.problems import TASKS, LCBench, normalised
from experiments.suggestions.run import RESULTS, seeds_of
from experiments.suggestions.scores import landmarks
from kerashpo.tuners.simulate import simulate

FULL = 51
BUDGETS = (5, 10, 20, 50)


@final
class Curves:
    """A task's learning curves, without the untrained network's epoch."""

    direction: Literal["min", "max"] = "max"
    max_epochs = FULL

    def __init__(self, task: str) -> None:
        self.task = LCBench(task)
        self.space = self.task.space
        self._known: dict[tuple[Any, ...], np.ndarray[Any, Any]] = {}

    def evaluate(self, config: Mapping[str, Any], epoch: int) -> tuple[float, float]:
        """Returns the accuracy after that many epochs; every epoch takes a second."""
        key = tuple(config.values())
        if key not in self._known:
            self._known[key] = self.task.curve(config)[1:]
        return float(self._known[key][epoch - 1]), float(epoch)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tuners", nargs="+", default=["asha", "hyperband", "full"])
    parser.add_argument("--algorithms", nargs="+", default=["random", "bayesian"])
    parser.add_argument("--seeds", default="0-4")
    options = parser.parse_args()
    path = RESULTS / "fidelity.csv"
    done = set()
    if path.exists():
        with path.open(newline="") as file:
            done = {
                (r["tuner"], r["algorithm"], r["task"], int(r["seed"]))
                for r in csv.DictReader(file)
            }
    else:
        head = ["tuner", "algorithm", "task", "seed", *(f"at{b}" for b in BUDGETS)]
        path.write_text(",".join(head) + "\n")
    marks = landmarks(RESULTS / "landmarks.csv", [f"lcbench_{t}" for t in TASKS])
    for seed in seeds_of(options.seeds):
        for task in TASKS:
            problem = Curves(task)
            for tuner in options.tuners:
                for algorithm in options.algorithms:
                    if (tuner, algorithm, task, seed) not in done:
                        row = regrets_of(problem, tuner, algorithm, seed, marks)
                        with path.open("a", newline="") as file:
                            csv.writer(file, lineterminator="\n").writerow(
                                [tuner, algorithm, task, seed, *(f"{v:.4f}" for v in row)]
                            )


def regrets_of(
    problem: Curves,
    tuner: str,
    algorithm: str,
    seed: int,
    marks: Mapping[str, tuple[float, float]],
) -> list[float]:
    """Returns the regret of the best value seen within each budget, in epochs trained."""
    results = simulate(
        problem, tuner=tuner, algorithm=algorithm, budget_epochs=max(BUDGETS) * FULL, seed=seed
    )
    optimum, median = marks[problem.task.name]
    curves = results.curves().sort_values("elapsed", kind="stable")
    best = curves[curves["metric"] == "value"]["value"].cummax().to_numpy()
    return [
        normalised(optimum - best[min(budget * FULL, len(best)) - 1], optimum - median)
        for budget in BUDGETS
    ]


if __name__ == "__main__":
    main()
