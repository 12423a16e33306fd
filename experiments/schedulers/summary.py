"""Tables and figures from the results.

    python -m experiments.schedulers.summary [--write]

prints the tables; with ``--write`` it writes them and the figure: ``tables/regret.csv``
(normalised regret by budget, mean over tasks, interval over seeds), ``tables/paired.csv`` (each
method against `recommended`, seed by seed), ``tables/speed.csv`` (seconds to sequential random
search's regret at 50 trainings) and ``figures/``. Seeds shared between tasks are not independent:
a seed's value is its mean over the tasks.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.schedulers.lcbench import EPOCHS, TASKS
from experiments.schedulers.references import references
from experiments.schedulers.traces import Steps, load, methods
from kerashpo.analysis.intervals import Interval, interval

HERE = Path(__file__).parent
TRAININGS = (5, 10, 20, 50)
OURS = "recommended"
LEAST_SEEDS = 5
"""Bands over fewer seeds hide the figure; the tables have their intervals."""


def by_seed(
    runs: dict[tuple[str, int, int], Steps], workers: int = 1
) -> dict[int, dict[str, Steps]]:
    """Returns the searches of each seed that was run on every task."""
    seeds: dict[int, dict[str, Steps]] = {}
    for (task, seed, used), steps in runs.items():
        if used == workers:
            seeds.setdefault(seed, {})[task] = steps
    return {seed: found for seed, found in sorted(seeds.items()) if set(found) == set(TASKS)}


def regrets(method: str, trainings: Sequence[float]) -> dict[int, NDArray[np.float64]]:
    """Returns for each seed the regrets (len(trainings),), means over the tasks."""
    known = references()
    return {
        seed: np.mean(
            [
                [known[task].regret(steps.at_epochs(EPOCHS * spent)) for spent in trainings]
                for task, steps in found.items()
            ],
            axis=0,
        )
        for seed, found in by_seed(load(method)).items()
    }


def regret_table() -> list[list[str]]:
    """Returns a row for each method, best at 50 trainings first."""
    rows = []
    for method in methods():
        found = regrets(method, TRAININGS)
        if len(found) > 1:
            columns = [interval([row[i] for row in found.values()]) for i in range(len(TRAININGS))]
            rows.append((columns[-1].mean, [method, str(len(found)), *map(_told, columns)]))
    return [["method", "seeds", *map(str, TRAININGS)], *(row for _, row in sorted(rows))]


def paired_table() -> list[list[str]]:
    """Returns each method's regret minus ours on the same seeds: above 0, ours is better."""
    ours = regrets(OURS, TRAININGS)
    rows = [["method", "seeds", *map(str, TRAININGS)]]
    for method in methods():
        found = regrets(method, TRAININGS)
        shared = sorted(set(found) & set(ours))
        if method != OURS and len(shared) > 1:
            gaps = [found[seed] - ours[seed] for seed in shared]
            columns = [interval([gap[i] for gap in gaps]) for i in range(len(TRAININGS))]
            rows.append([method, str(len(shared)), *map(_told, columns)])
    return rows


def speed_table() -> list[list[str]]:
    """Returns how much sooner than sequential random search each method is at its regret.

    The target of a task and seed is what random search on one worker holds after 50
    trainings; the speed-up is the ratio of the seconds, its geometric mean over tasks
    averaged in logarithms over seeds. Searches that never come there within their budget
    count with their last second; the column ``reached`` has the share
    of those that did.
    """
    base = by_seed(load("random"))
    rows = [["method", "workers", "seeds", "speed-up", "reached"]]
    for method in methods():
        for workers in sorted({key[2] for key in load(method)}):
            found = by_seed(load(method), workers)
            shared = sorted(set(found) & set(base))
            if len(shared) > 1:
                pairs = [_speed(found[seed], base[seed]) for seed in shared]
                reported = interval([log for log, _ in pairs])
                reached = float(np.mean([share for _, share in pairs]))
                low, high = np.exp(reported.low), np.exp(reported.high)
                speed = f"{np.exp(reported.mean):.1f} ({low:.1f} to {high:.1f})"
                rows.append([method, str(workers), str(len(shared)), speed, f"{reached:.0%}"])
    return rows


def _speed(found: dict[str, Steps], base: dict[str, Steps]) -> tuple[float, float]:
    logs, reached = [], 0
    for task, steps in found.items():
        target = base[task].values[-1]
        seconds = steps.when(float(target))
        reached += bool(np.isfinite(seconds))
        seconds = min(seconds, float(steps.seconds[-1]))
        logs.append(float(np.log(base[task].when(float(target)) / seconds)))
    return float(np.mean(logs)), reached / len(found)


def _told(one: Interval) -> str:
    return f"{one.mean:.3f} +- {one.half:.3f}"


def show(name: str, rows: list[list[str]]) -> None:
    """Prints a table with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    print(name)
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def write(name: str, rows: list[list[str]]) -> None:
    """Writes a table as CSV."""
    path = HERE / "tables" / f"{name}.csv"
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def draw(path: Path) -> None:
    """Draws anytime regret of the methods that matter, with intervals over seeds."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    grid = np.geomspace(1, 50, 40)
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for method in SHOWN:
        found = regrets(method, list(grid))
        if len(found) > 1:
            values = [interval([row[i] for row in found.values()]) for i in range(len(grid))]
            means = np.array([one.mean for one in values])
            (line,) = axes.plot(grid, means, label=f"{method} ({len(found)} seeds)")
            if len(found) >= LEAST_SEEDS:
                low, high = [one.low for one in values], [one.high for one in values]
                axes.fill_between(grid, low, high, color=line.get_color(), alpha=0.15, lw=0)
    axes.set(xscale="log", yscale="log", xlabel="budget in full trainings of 51 epochs")
    axes.set_xticks(TRAININGS, map(str, TRAININGS))
    axes.set(ylabel="normalised regret, mean of six tasks", title="LCBench, one worker")
    axes.legend(fontsize=8)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path)


SHOWN = (
    OURS,
    "asha",
    "hyperband",
    "random",
    "keras_tuner",
    "optuna_random_halving",
    "optuna_tpe_halving",
    "optuna_tpe_hyperband",
    "syne_tune_asha",
    "syne_tune_bohb",
)


def main() -> None:
    """Prints the tables, and writes them where that is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write tables and figure anew")
    given = parser.parse_args()
    tables = {"regret": regret_table(), "paired": paired_table(), "speed": speed_table()}
    for name, rows in tables.items():
        show(name, rows)
        if given.write:
            write(name, rows)
    if given.write:
        draw(HERE / "figures" / "regret.svg")


if __name__ == "__main__":
    main()
