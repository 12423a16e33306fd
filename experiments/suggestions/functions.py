"""Analytic functions in 2, 5, 10 and 20 dimensions, 200 evaluations (after BBOB's).

    python -m experiments.suggestions.functions --methods tpe optuna_tpe --seeds 0-4 --minutes 5

Each finished search appends its rows to ``results/functions/<method>.csv``: task, seed,
trial, the best true value so far less the optimum. Resumable; ``--minutes`` stops after the
search that passes it. The optimum of each (function, dimension, seed) is drawn from the
middle 80 % of the box, so that an algorithm that starts at its centre gains nothing.
"""

from __future__ import annotations

import argparse
import math
import time
import warnings
import zlib
from collections.abc import Callable, Iterable
from typing import Any, final

import numpy as np
import pandas as pd

from experiments.suggestions.loops import HALF, LOOPS, Spent, Vector
from experiments.suggestions.methods import make_method
from experiments.suggestions.run import RESULTS, append, finished, seeds_of
from experiments.suggestions.scores import student
from kerashpo.space import Space, uniform

FOLDER = RESULTS / "functions"
TRIALS = 200
DIMENSIONS = (2, 5, 10, 20)
SHOWN = (0, 9, 24, 49, 99, 149, 199)
FLOOR = 1e-4
NAMED_PEERS = (
    ("tpe", "optuna_tpe"),
    ("cmaes", "cmaes_peer"),
    ("de", "dehb_de"),
    ("de", "dehb_de_10"),
    ("de", "scipy_de"),
    ("pso", "pyswarms"),
    ("pso", "pyswarms_clerc"),
    ("kerashpo", "optuna_tpe"),
    ("kerashpo", "cmaes"),
)


def sphere(x: Vector) -> float:
    """A round bowl."""
    return float(x @ x)


def ellipsoid(x: Vector) -> float:
    """A bowl of condition 1e6."""
    return float(10.0 ** (6.0 * np.arange(len(x)) / max(len(x) - 1, 1)) @ (x * x))


def rosenbrock(x: Vector) -> float:
    """A curved valley; the optimum is moved to the origin."""
    z = x + 1.0
    return float((100.0 * (z[:-1] ** 2 - z[1:]) ** 2 + (z[:-1] - 1.0) ** 2).sum())


def rastrigin(x: Vector) -> float:
    """A bowl with a grid of local optima."""
    return float(10.0 * (len(x) - np.cos(2.0 * math.pi * x).sum()) + x @ x)


def step(x: Vector) -> float:
    """Plateaus: a bowl of whole numbers, 0.1 at the lowest."""
    whole = np.floor(x + 0.5)
    return max(float(whole @ whole), 0.1)


def noisy(x: Vector) -> float:
    """A round bowl, seen with noise (see `Function.observe`)."""
    return float(x @ x)


FUNCTIONS: dict[str, Callable[[Vector], float]] = {
    f.__name__: f for f in (sphere, ellipsoid, rosenbrock, rastrigin, step, noisy)
}


@final
class Function:
    """One function in one dimension, its optimum placed by the seed."""

    def __init__(self, task: str, seed: int) -> None:
        name, _, d = task.rpartition("_")
        self.dim, self._function, self._noisy = int(d), FUNCTIONS[name], name == "noisy"
        key = zlib.crc32(f"{task}:{seed}".encode())
        self._rng = np.random.default_rng(key)
        self._optimum = self._rng.uniform(-0.8 * HALF, 0.8 * HALF, self.dim)
        self.space = Space({f"x{j:02d}": uniform(-HALF, HALF) for j in range(self.dim)})

    def true(self, x: Vector) -> float:
        """Returns the value less the optimum's."""
        return self._function(np.asarray(x, dtype=float) - self._optimum)

    def observe(self, true: float) -> float:
        """Returns what the search sees: a tenth of the value, at least 0.1, as noise."""
        if not self._noisy:
            return true
        return true + max(0.1 * true, 0.1) * float(self._rng.standard_normal())


@final
class Recorder:
    """Counts evaluations and keeps the true value of the best one observed."""

    def __init__(self, function: Function, trials: int) -> None:
        self._function, self._trials = function, trials
        self._best = math.inf
        self.held: list[float] = []

    def __call__(self, x: Vector) -> float:
        if len(self.held) >= self._trials:
            raise Spent
        true = self._function.true(x)
        seen = self._function.observe(true)
        if seen < self._best:
            self._best, self._true = seen, true
        self.held.append(self._true)
        return seen


def search(task: str, method: str, seed: int, trials: int) -> list[float]:
    """Returns the true value of the best observed point after each trial."""
    function = Function(task, seed)
    evaluate = Recorder(function, trials)
    try:
        if method in LOOPS:
            LOOPS[method](evaluate, function.dim, seed)
            # It converged before its evaluations were spent.
            return evaluate.held + [evaluate.held[-1]] * (trials - len(evaluate.held))
        peer: Any = make_method(method, function.space, seed)
        while True:
            config = peer.ask()
            value = evaluate(np.array([config[name] for name in function.space.names]))
            peer.tell(config, -value)
    except Spent:
        return evaluate.held


def tasks() -> list[str]:
    """Returns the names of the tasks, by function, then dimension."""
    return [f"{name}_{d}" for name in FUNCTIONS for d in DIMENSIONS]


def final_values(method: str, trial: int = TRIALS - 1) -> pd.Series:
    """Returns log10 of the value after that trial, by (task, seed)."""
    frame = pd.read_csv(FOLDER / f"{method}.csv")
    rows = frame[frame["trial"] == trial].set_index(["task", "seed"])["best"]
    return np.log10(rows.clip(lower=FLOOR))


def table(methods: list[str], by: str = "function") -> str:
    """Returns mean log10 values by function (or dimension), and paired differences."""
    found = {method: final_values(method) for method in methods}
    shared = found[methods[0]].index
    for values in found.values():
        shared = shared.intersection(values.index)
    part = 0 if by == "function" else 2
    lines = [f"| {by} | " + " | ".join(methods) + " |", "|---" * (1 + len(methods)) + "|"]
    kinds = list(dict.fromkeys(task.rpartition("_")[part] for task in tasks()))
    for kind in [*kinds, "all"]:
        rows = shared[[kind in ("all", task.rpartition("_")[part]) for task, _ in shared]]
        cells = [f"{found[m].loc[rows].mean():.2f}" for m in methods]
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    gaps = [
        student((found[methods[0]].loc[shared] - found[m].loc[shared]).groupby("seed").mean())
        for m in methods
    ]
    cells = [f"{gap:+.2f} ± {half:.2f} ({n})" for gap, half, n in gaps]
    lines.append(f"| {methods[0]} minus it | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def beside(pairs: Iterable[tuple[str, str]] = NAMED_PEERS) -> str:
    """Returns a table of ours minus a peer: by function and by dimension, paired by seed.

    Only seeds that both have on every task count.
    """
    kinds = [*((0, name) for name in FUNCTIONS), *((2, str(d)) for d in DIMENSIONS)]
    lines = ["| ours | minus | seeds | all | " + " | ".join(kind for _, kind in kinds) + " |"]
    lines.append("|---" * (4 + len(kinds)) + "|")
    for ours, peer in pairs:
        if not all((FOLDER / f"{name}.csv").exists() for name in (ours, peer)):
            continue
        gaps = (final_values(ours) - final_values(peer)).dropna()
        counts = gaps.groupby("seed").size()
        whole = set(counts[counts == len(tasks())].index)
        gaps = gaps[[seed in whole for _, seed in gaps.index]]
        chosen = [gaps, *(gaps[_of(gaps.index, part, kind)] for part, kind in kinds)]
        cells = [student(one.groupby("seed").mean()) for one in chosen]
        told = " | ".join(f"{gap:+.2f} ± {half:.2f}" for gap, half, _ in cells)
        lines.append(f"| `{ours}` | {peer} | {len(whole)} | {told} |")
    return "\n".join(lines)


def _of(index: pd.Index, part: int, kind: str) -> list[bool]:
    return [task.rpartition("_")[part] == kind for task, _ in index]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", nargs="+", required=True)
    parser.add_argument("--seeds", default="0-4")
    parser.add_argument("--tasks", nargs="*", default=tasks())
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--table", action="store_true", help="print, run nothing")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    until = time.monotonic() + 60.0 * options.minutes
    for seed in [] if options.table else seeds_of(options.seeds):
        for method in options.methods:
            path = FOLDER / f"{method}.csv"
            done = finished(path)
            for task in options.tasks:
                if (task, seed) not in done and time.monotonic() < until:
                    held = search(task, method, seed, options.trials)
                    rows = [[task, seed, i, f"{held[i]:.6g}"] for i in SHOWN if i < len(held)]
                    append(path, ["task", "seed", "trial", "best"], rows)
    print(table(options.methods))
    print(table(options.methods, "dimension"))
    print(beside())


if __name__ == "__main__":
    main()
