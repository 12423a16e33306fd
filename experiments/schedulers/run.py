"""Runs a method on the tasks; what has run is not run again.

    python -m experiments.schedulers.run --method asha [--seeds 0-19] [--workers 1]
        [--trainings 50] [--tasks 3945 7593]

Each finished search adds its improvements to ``results/<method>.csv``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from experiments.schedulers.lcbench import EPOCHS, TASKS, LCBench
from experiments.schedulers.methods import OURS, search
from experiments.schedulers.peers import PEERS
from experiments.schedulers.traces import append, load


def run(method: str, seeds: Iterable[int], tasks: Iterable[str], budget: int, workers: int) -> None:
    """Searches every task with every seed that a method's file does not hold."""
    done = load(method)
    for seed in seeds:
        for task in tasks:
            key = (task, seed, workers)
            if key not in done:
                problem = LCBench(task)
                if method in PEERS:
                    steps = PEERS[method](problem, seed, budget).steps
                else:
                    steps = search(method, problem, seed, budget, workers)
                append(method, key, steps)


def seeds_of(text: str) -> Iterable[int]:
    """Reads ``"0-4"`` or ``"3"``."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", required=True, choices=[*OURS, *PEERS])
    parser.add_argument("--seeds", default="0-19")
    parser.add_argument("--tasks", nargs="*", default=list(TASKS))
    parser.add_argument("--trainings", type=int, default=50)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    budget = options.trainings * EPOCHS
    run(options.method, seeds_of(options.seeds), options.tasks, budget, options.workers)


if __name__ == "__main__":
    main()
