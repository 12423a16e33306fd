"""The table of the search policy on tasks that it was not trained on.

    python -m experiments.policy.evaluate            # resumable: searches, into results.csv
    python -m experiments.policy.evaluate --table

Each task is searched with the weights of the fold that left it out (`train --fold`). Beside it:
random search, the same candidates without training ("untrained": one of them at random), a policy
trained on shuffled rewards, and from ``experiments/suggestions/results``, on the same tasks and
seeds, TPE and Bayesian optimisation of the package.
"""

from __future__ import annotations

import argparse
import csv
import functools
from typing import Any

import numpy as np

import kerashpo as kt
from experiments.policy.train import HERE, play
from experiments.suggestions.problems import make_problem, normalised, problem_names
from kerashpo.algorithms.policy import FEATURES, Network

RESULTS = HERE / "results.csv"
SUGGESTIONS = HERE.parent / "suggestions" / "results"
METHODS = ("random", "untrained", "shuffled", "policy")
RECORDED = {"tpe": "tpe", "bayesian": "kerashpo"}
"""Methods whose searches ``experiments/suggestions`` has recorded, and its files."""
problem_of = functools.cache(make_problem)
MARKS = (10, 20, 50)


def options_of(method: str, task: str) -> dict[str, Any]:
    """Returns the algorithm of a method and its options."""
    fold = problem_names().index(task) % 2
    files = {"policy": f"fold{fold}", "shuffled": f"shuffled{fold}"}
    if method not in files:
        return {"algorithm": method}
    return {"algorithm": "policy", "weights": str(HERE / "weights" / f"{files[method]}.json")}


UNTRAINED = Network(((np.zeros((2 * FEATURES, 1)), np.zeros(1)),))
"""All candidates have the same score, so that one of them is drawn at random."""


def search(task: str, method: str, seed: int) -> list[float]:
    """Returns the normalised log10 regret after each number of trials in `MARKS`."""
    problem, seen = problem_of(task), []
    if method == "untrained":
        rng = np.random.default_rng(seed)
        regrets = play(problem, UNTRAINED, seed, rng, max(MARKS)).regrets
        return [float(regrets[mark - 1]) for mark in MARKS]

    def cost(config: dict[str, Any]) -> float:
        seen.append((-problem.observe(config, seed), problem.true(config)))
        return seen[-1][0]

    options = options_of(method, task)
    kt.optimize(cost, problem.space, max_trials=max(MARKS), seed=seed, verbose=0, **options)
    return marks_of(task, seen)


def marks_of(task: str, seen: list[tuple[float, float]]) -> list[float]:
    """Returns the regret after each of `MARKS` trials, given what each one cost and its truth."""
    problem = problem_of(task)
    spread, found = problem.optimum - problem.median, []
    for mark in MARKS:
        best = min(seen[:mark])[1]
        found.append(normalised(problem.optimum - best, spread))
    return found


def recorded(seeds: int) -> list[dict[str, Any]]:
    """Returns the rows of the methods that another experiment has run."""
    rows = []
    for method, name in RECORDED.items():
        searches: dict[tuple[str, int], list[tuple[float, float]]] = {}
        with (SUGGESTIONS / f"{name}.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                key = row["task"], int(row["seed"])
                searches.setdefault(key, []).append((-float(row["value"]), float(row["true"])))
        for (task, seed), seen in searches.items():
            if seed < seeds:
                cells = {f"at_{mark}": v for mark, v in zip(MARKS, marks_of(task, seen))}
                rows.append({"task": task, "seed": seed, "method": method, **cells})
    return rows


def table() -> str:
    """Returns Markdown: mean log10 regret with 95 % intervals, and pairs with the policy."""
    rows = list(csv.DictReader(RESULTS.open()))
    rows += recorded(1 + max(int(row["seed"]) for row in rows))
    found = {(r["task"], int(r["seed"]), r["method"]): r for r in rows}
    head = " | ".join(f"{mark} trials" for mark in MARKS)
    lines = [f"| method | searches | {head} | policy minus it, 50 |", "|---" * 6 + "|"]
    for method in (*METHODS, *RECORDED):
        own = {key[:2]: row for key, row in found.items() if key[2] == method}
        if not own:
            continue
        cells = [_interval([float(r[f"at_{mark}"]) for r in own.values()]) for mark in MARKS]
        pairs = [
            float(found[*key, "policy"]["at_50"]) - float(row["at_50"])
            for key, row in own.items()
            if (*key, "policy") in found
        ]
        gain = "" if method == "policy" else _interval(pairs)
        lines.append(f"| {method} | {len(own)} | {' | '.join(cells)} | {gain} |")
    return "\n".join(lines)


def _interval(values: list[float]) -> str:
    half = 1.96 * float(np.std(values, ddof=1)) / np.sqrt(len(values))
    return f"{np.mean(values):+.3f} ± {half:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--table", action="store_true", help="print the table and end")
    given = parser.parse_args()
    if not given.table:
        run(given.seeds, given.methods.split(","))
    print(table())


def run(seeds: int, methods: list[str]) -> None:
    """Runs the searches that `RESULTS` does not hold yet."""
    head = ["task", "method", "seed", *(f"at_{mark}" for mark in MARKS)]
    if not RESULTS.exists():
        RESULTS.write_text(",".join(head) + "\n")
    done = {(r["task"], r["method"], int(r["seed"])) for r in csv.DictReader(RESULTS.open())}
    for seed in range(seeds):
        for task in problem_names():
            for method in methods:
                if (task, method, seed) in done:
                    continue
                cells = [f"{value:.4f}" for value in search(task, method, seed)]
                with RESULTS.open("a") as file:
                    file.write(",".join([task, method, str(seed), *cells]) + "\n")


if __name__ == "__main__":
    main()
