"""From recorded searches to normalised regrets and paired comparisons."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy import stats

from experiments.suggestions.problems import make_problem, normalised

Regrets: TypeAlias = "pd.DataFrame"
"""Index (task, seed), one column a trial (from 1): log10 normalised regret so far."""


def landmarks(path: Path, tasks: list[str]) -> dict[str, tuple[float, float]]:
    """Returns (optimum, median) by task, from `path` where they are known."""
    known: dict[str, tuple[float, float]] = {}
    if path.exists():
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                known[row["task"]] = (float(row["optimum"]), float(row["median"]))
    missing = [task for task in tasks if task not in known]
    for task in missing:
        problem = make_problem(task)
        known[task] = (problem.optimum, problem.median)
    if missing:
        with path.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["task", "optimum", "median"])
            writer.writerows([task, *known[task]] for task in sorted(known))
    return known


def regrets(path: Path, marks: dict[str, tuple[float, float]]) -> Regrets:
    """Returns the regret after each trial of every search in a result file.

    The incumbent is the best value observed so far, and is judged by its true value.
    """
    frame = pd.read_csv(path)
    rows = {}
    for (task, seed), run in frame.groupby(["task", "seed"], sort=False):
        run = run.sort_values("trial")
        value, true = run["value"].to_numpy(), run["true"].to_numpy()
        leader = np.maximum.accumulate(value)
        held = true[[int(np.argmax(value[: i + 1])) for i in range(len(value))]]
        assert np.all(np.diff(leader) >= 0)
        optimum, median = marks[task]
        rows[task, seed] = [normalised(optimum - t, optimum - median) for t in held]
    out = pd.DataFrame.from_dict(rows, orient="index")
    out.index = pd.MultiIndex.from_tuples(out.index, names=["task", "seed"])
    out.columns = range(1, out.shape[1] + 1)
    return out


def compare(a: Regrets, b: Regrets, trial: int, kind: str = "") -> tuple[float, float, int]:
    """Returns the mean of a - b after `trial` trials, its 95 % half-width, and the seeds.

    Paired by task and seed; searches of one seed share their noise over tasks, so the
    interval is Student's over the seeds' means.
    """
    both = a.index.intersection(b.index)
    if kind:
        both = both[[task.startswith(kind) for task, _ in both]]
    gap = (a.loc[both, trial] - b.loc[both, trial]).groupby("seed").mean()
    return student(gap)


def student(gaps: pd.Series) -> tuple[float, float, int]:
    """Returns the mean of one number a seed, its 95 % half-width, and the seeds."""
    n = len(gaps)
    if n < 2:
        return float(gaps.mean()), float("nan"), n
    half = stats.t.ppf(0.975, n - 1) * gaps.std(ddof=1) / np.sqrt(n)
    return float(gaps.mean()), float(half), n
