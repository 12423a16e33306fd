"""Runs a method on the tasks; what has run is not run again.

    python -m experiments.suggestions.run --method optuna_gp --seeds 0-4 [--tasks lcbench_3945]

Each finished search appends its rows to ``results/<method>.csv``: task, seed, trial, the
value seen, the true value, and the CPU seconds of ask and tell.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from experiments.suggestions.methods import make_method
from experiments.suggestions.problems import Problem, make_problem, problem_names

RESULTS = Path(__file__).parent / "results"
TRIALS = 50
HEAD = ["task", "seed", "trial", "value", "true", "cpu"]


def search(problem: Problem, method: str, seed: int, trials: int) -> list[list[Any]]:
    """Returns one row a trial: trial, value, true value, CPU seconds."""
    peer = make_method(method, problem.space, seed)
    rows = []
    for trial in range(trials):
        start = time.process_time()
        config = peer.ask()
        middle = time.process_time()
        value, true = problem.observe(config, seed), problem.true(config)
        resumed = time.process_time()
        peer.tell(config, value)
        seconds = middle - start + time.process_time() - resumed
        rows.append([trial, f"{value:.7g}", f"{true:.7g}", f"{seconds:.4f}"])
    return rows


def finished(path: Path) -> set[tuple[str, int]]:
    """Returns the (task, seed) that a result file holds."""
    if not path.exists():
        return set()
    with path.open(newline="") as file:
        return {(row["task"], int(row["seed"])) for row in csv.DictReader(file)}


def seeds_of(text: str) -> Iterable[int]:
    """Reads ``"0-4"`` or ``"3"``."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", required=True)
    parser.add_argument("--seeds", default="0-19")
    parser.add_argument("--tasks", nargs="*", default=list(problem_names()))
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    options.results.mkdir(exist_ok=True)
    path = options.results / f"{options.method}.csv"
    done = finished(path)
    problems = {task: make_problem(task) for task in options.tasks}
    for seed in seeds_of(options.seeds):
        for task, problem in problems.items():
            if (task, seed) not in done:
                rows = search(problem, options.method, seed, options.trials)
                append(path, HEAD, [[task, seed, *row] for row in rows])


def append(path: Path, head: list[str], rows: list[list[Any]]) -> None:
    """Appends rows to a result file, with a head where it is new."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(head)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
