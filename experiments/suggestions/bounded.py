"""What it costs to forget: a bounded part of the observations against all of them.

    python -m experiments.suggestions.bounded --bound 128 --trials 300 --seeds 0-4
    python -m experiments.suggestions.bounded --bound 400 --trials 550 --seeds 0-2

Both searches share their trials until the bound is reached, then differ. Appends to
``results/bounded.csv`` and prints the table: log10 regret after the last trial, where the
bound is on what the process is fitted on and conditioned on.
"""

from __future__ import annotations

import argparse
import math
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from experiments.suggestions.methods import Ours
from experiments.suggestions.problems import Problem, make_problem, normalised
from experiments.suggestions.run import RESULTS, append, seeds_of
from experiments.suggestions.scores import landmarks, student
from experiments.suggestions.wide import hartmann
from kerashpo.algorithms.bayesian import BayesianOptimization
from kerashpo.algorithms.gp.model_settings import ModelSettings
from kerashpo.space import Space, uniform

PATH = RESULTS / "bounded.csv"
HEAD = ["task", "seed", "bound", "kept", "trials", "regret", "cpu"]
TASKS = ("lcbench_189862", "lcbench_167168", "noisy_hartmann")
EVERYTHING = 10**9
_NOISE = 0.2


@final
class NoisyHartmann(Problem):
    """Hartmann's function of six numbers, seen with Gaussian noise of deviation 0.2."""

    def __init__(self) -> None:
        self.name = "noisy_hartmann"
        self.space = Space({f"x{j}": uniform(0.0, 1.0) for j in range(6)})

    def true(self, config: Mapping[str, Any]) -> float:
        return -hartmann(np.array([config[name] for name in self.space.names]))

    def observe(self, config: Mapping[str, Any], seed: int) -> float:
        key = zlib.crc32(f"{seed}:{sorted(config.items())}".encode())
        return self.true(config) + _NOISE * float(np.random.default_rng(key).standard_normal())

    @property
    def optimum(self) -> float:
        return 0.0

    @property
    def median(self) -> float:
        return -3.2


def problem_of(name: str) -> tuple[Problem, float, float]:
    """Returns a task, its optimum and its median."""
    if name == "noisy_hartmann":
        task = NoisyHartmann()
        return task, task.optimum, task.median
    optimum, median = landmarks(RESULTS / "landmarks.csv", [name])[name]
    return make_problem(name), optimum, median


@final
class Run:
    """A search whose observations can be handed to another.

    Args:
        problem: the task.
        seed: of the search and of the noise.
        rows: on how many observations the model is fitted and conditioned at most.
    """

    def __init__(self, problem: Problem, seed: int, rows: int) -> None:
        self._problem, self._seed = problem, seed
        settings = ModelSettings(rows=rows, fit_rows=min(rows, 150) if rows < EVERYTHING else rows)
        self._ours = Ours(BayesianOptimization(problem.space, seed, settings=settings))
        self.seen: list[tuple[dict[str, Any], float]] = []
        self.cpu = 0.0

    def heard(self, seen: list[tuple[dict[str, Any], float]]) -> Run:
        """Takes in what another search has seen."""
        for config, value in seen:
            self._ours.add(config, value)
        self.seen = list(seen)
        return self

    def go(self, trials: int) -> Run:
        """Searches until a number of trials is observed."""
        while len(self.seen) < trials:
            start = time.process_time()
            config = self._ours.ask()
            self.cpu += time.process_time() - start
            value = self._problem.observe(config, self._seed)
            self._ours.tell(config, value)
            self.seen.append((config, value))
        return self

    def held(self) -> float:
        """Returns the true value of the best configuration seen."""
        return self._problem.true(max(self.seen, key=lambda pair: pair[1])[0])


def measure(task: str, seed: int, bound: int, trials: int) -> list[list[Any]]:
    """Returns the rows of both searches."""
    problem, optimum, median = problem_of(task)
    shared = Run(problem, seed, bound).go(bound)
    rows = []
    for label, kept in (("bounded", bound), ("all", EVERYTHING)):
        run = Run(problem, seed, kept).heard(shared.seen).go(trials)
        regret = normalised(optimum - run.held(), optimum - median)
        each = run.cpu / (trials - bound)
        rows.append([task, seed, bound, label, trials, f"{regret:.4f}", f"{each:.4f}"])
    return rows


def done(path: Path) -> set[tuple[str, int, int, int]]:
    """Returns the (task, seed, bound, trials) that the result file holds."""
    if not path.exists():
        return set()
    frame = pd.read_csv(path)[["task", "seed", "bound", "trials"]]
    return {(t, int(s), int(b), int(n)) for t, s, b, n in frame.itertuples(index=False)}


def table(path: Path) -> str:
    """Returns bounded - all by bound and task: positive, the bound costs regret."""
    lines = [
        "| bound | trials | task | seeds | bounded | all | difference | CPU ms, bounded | all |"
    ]
    lines.append("|---" * 9 + "|")
    for (bound, trials, task), part in pd.read_csv(path).groupby(["bound", "trials", "task"]):
        wide = part.pivot(index="seed", columns="kept", values="regret")
        cost = 1000.0 * part.groupby("kept")["cpu"].mean()
        gap, half, n = student(wide["bounded"] - wide["all"])
        interval = "" if math.isnan(half) else f" ± {half:.2f}"
        lines.append(
            f"| {bound} | {trials} | {task} | {n} | {wide['bounded'].mean():.2f} "
            f"| {wide['all'].mean():.2f} | {gap:+.2f}{interval} "
            f"| {cost['bounded']:.0f} | {cost['all']:.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS))
    parser.add_argument("--bound", type=int, default=128)
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--seeds", default="0-4")
    options = parser.parse_args()
    have = done(PATH)
    for seed in seeds_of(options.seeds):
        for task in options.tasks:
            if (task, seed, options.bound, options.trials) not in have:
                append(PATH, HEAD, measure(task, seed, options.bound, options.trials))
    print(table(PATH))


if __name__ == "__main__":
    main()
