"""How far noise lets a search come on HPOBench: a search that has seen the whole table.

    python -m experiments.suggestions.limits --seeds 0-19

A search is judged by the true accuracy of the configuration that it saw do best. Here all
30,000 are seen, one training each, and the log10 normalised regret of the best seen is
where more trials lead: of many configurations, luck picks one.
"""

from __future__ import annotations

import argparse
import zlib

import numpy as np

from experiments.suggestions.problems import HPOBENCH_TASKS, HPOBench, normalised
from experiments.suggestions.run import seeds_of


def best_of_all(task: HPOBench, seed: int) -> float:
    """Returns the log10 regret of the best of all configurations as this seed sees them."""
    seen = [
        runs[zlib.crc32(f"{seed}:{key}".encode()) % len(runs)] for key, runs in task.runs.items()
    ]
    spread = task.optimum - task.median
    return normalised(task.optimum - task.means[int(np.argmax(seen))], spread)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0-19")
    options = parser.parse_args()
    print("| task | noise as a part of the spread | log10 regret of the best seen |\n|---|---|---|")
    found = []
    for name in HPOBENCH_TASKS:
        task = HPOBench(name)
        noise = float(np.mean([runs.std() for runs in task.runs.values()]))
        found.append(np.mean([best_of_all(task, seed) for seed in seeds_of(options.seeds)]))
        print(f"| {task.name} | {noise / (task.optimum - task.median):.2f} | {found[-1]:.2f} |")
    print(f"| mean | | {np.mean(found):.2f} |")


if __name__ == "__main__":
    main()
