"""How far apart the suggestions of one moment are, with 8 trials running.

    python -m experiments.suggestions.diversity

On each LCBench task and seed: 24 trials one by one, then 8 suggestions of which none has
a result. Distances are between rows of the unit cube, divided by the root of its dimension;
"nearest" is the mean distance of a suggestion to the nearest other one. Eight random
configurations, and eight suggestions of a search that takes no notice of what is running,
say what the figures mean.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform

from experiments.lcbench import TASKS
from experiments.suggestions.methods import Ours
from experiments.suggestions.problems import Problem, make_problem
from kerashpo.algorithms import Algorithm
from kerashpo.algorithms.bayesian import BayesianOptimization
from kerashpo.algorithms.gp.model_settings import ModelSettings
from kerashpo.algorithms.random import RandomSearch
from kerashpo.space.cube import Cube

TRIALS, WORKERS, SEEDS = 24, 8, 5


def suggestions(problem: Problem, algorithm: Algorithm, seed: int) -> NDArray[np.float64]:
    """Returns the rows (8, d) that are suggested at one moment."""
    before = Ours(BayesianOptimization(problem.space, seed))
    reported = []
    for _ in range(TRIALS):
        config = before.ask()
        reported.append((config, problem.observe(config, seed)))
        before.tell(*reported[-1])
    search = Ours(algorithm)
    for config, value in reported:
        search.add(config, value)
    cube = Cube(problem.space)
    return np.array([cube.encode(search.ask()) for _ in range(WORKERS)])


def measured(rows: NDArray[np.float64]) -> tuple[int, float, float]:
    """Returns the distinct rows, the mean pairwise distance, the mean to the nearest."""
    apart = squareform(pdist(rows)) / np.sqrt(rows.shape[1])
    n = len(rows)
    nearest = (apart + np.where(np.eye(n) > 0, np.inf, 0.0)).min(axis=1)
    return len(np.unique(rows, axis=0)), float(apart.sum() / (n * (n - 1))), float(nearest.mean())


def main() -> None:
    """The command line."""
    lines = ["| suggestions | distinct of 8 | mean distance | nearest |", "|---|---|---|---|"]
    problems = [make_problem(f"lcbench_{task}") for task in TASKS]
    for label in ("ours", "ours, deaf", "random"):
        found = [
            measured(suggestions(problem, _algorithm(label, problem, seed), seed))
            for problem in problems
            for seed in range(SEEDS)
        ]
        distinct, mean, nearest = np.mean(found, axis=0)
        lines.append(f"| {label} | {distinct:.1f} | {mean:.3f} | {nearest:.3f} |")
    print("\n".join(lines))


def _algorithm(label: str, problem: Problem, seed: int) -> Algorithm:
    if label == "random":
        return RandomSearch(problem.space, seed)
    return BayesianOptimization(
        problem.space, seed, settings=ModelSettings(believe=label == "ours")
    )


if __name__ == "__main__":
    main()
