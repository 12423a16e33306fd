"""Transfer: a search that knows searches on the other tasks, leaving its own task out.

    python -m experiments.suggestions.transfer --methods cold warm adversarial --seeds 0-9

The earlier studies are our own searches of 50 trials on every other task of the same kind, with
a seed of their own. ``adversarial`` has three of them, one of which holds its values upside
down. Each finished search appends its rows to ``results/transfer/<method>.csv``; resumable.
"""

from __future__ import annotations

import argparse
from functools import cache

from experiments.suggestions.methods import Ours
from experiments.suggestions.problems import Problem, make_problem, problem_names
from experiments.suggestions.run import HEAD, RESULTS, append, finished, seeds_of
from experiments.suggestions.scores import compare, landmarks, regrets
from kerashpo.algorithms.bayesian import BayesianOptimization
from kerashpo.algorithms.earlier_studies import EarlierStudy

FOLDER = RESULTS / "transfer"
TRIALS, EARLIER, APART = 20, 50, 1000
AT = (1, 5, 10, 20)
METHODS = ("cold", "warm", "adversarial")
problem = cache(make_problem)


@cache
def earlier(task: str, seed: int) -> EarlierStudy:
    """Returns a finished search on a task."""
    method = Ours(BayesianOptimization(problem(task).space, seed + APART))
    for _ in range(EARLIER):
        config = method.ask()
        method.tell(config, problem(task).observe(config, seed + APART))
    trials = method.history.trials.values()
    return EarlierStudy(tuple((t.config, float(t.score or 0.0)) for t in trials), task)


def sources(task: str, seed: int, method: str) -> list[EarlierStudy]:
    """Returns the earlier studies that a method is given."""
    if method == "cold":
        return []
    kind = task.partition("_")[0]
    others = [name for name in problem_names() if name.startswith(kind) and name != task]
    if method == "warm":
        return [earlier(name, seed) for name in others]
    first = problem_names().index(task) + seed
    chosen = [earlier(others[(first + k) % len(others)], seed) for k in range(3)]
    upside_down = EarlierStudy(tuple((config, -value) for config, value in chosen[0].pairs))
    return [upside_down, *chosen[1:]]


def search(task: str, seed: int, method: str) -> list[list[object]]:
    """Returns one row a trial: trial, value, true value, 0."""
    there: Problem = problem(task)
    warm = BayesianOptimization(there.space, seed, warm_start=sources(task, seed, method))
    ours, rows = Ours(warm), []
    for trial in range(TRIALS):
        config = ours.ask()
        value = there.observe(config, seed)
        ours.tell(config, value)
        rows.append([trial, f"{value:.7g}", f"{there.true(config):.7g}", 0])
    return rows


def table(methods: list[str]) -> str:
    """Returns the mean log10 regret minus that of the cold search, by kind of task and trials."""
    marks = landmarks(RESULTS / "landmarks.csv", list(problem_names()))
    found = {method: regrets(FOLDER / f"{method}.csv", marks) for method in ("cold", *methods)}
    columns = [(kind, at) for kind in ("lcbench", "hpobench") for at in AT]
    lines = ["| minus cold | seeds | " + " | ".join(f"{k}, {t}" for k, t in columns) + " |"]
    lines.append("|---" * (2 + len(columns)) + "|")
    for method in methods:
        gaps = [compare(found[method], found["cold"], at, kind) for kind, at in columns]
        cells = [f"{gap:+.2f} ± {half:.2f}" for gap, half, _ in gaps]
        lines.append(f"| {method} | {max(n for *_, n in gaps)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--seeds", default="0-9")
    parser.add_argument("--tasks", nargs="*", default=list(problem_names()))
    parser.add_argument("--table", action="store_true", help="print, run nothing")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for seed in [] if options.table else seeds_of(options.seeds):
        for method in options.methods:
            path = FOLDER / f"{method}.csv"
            done = finished(path)
            for task in options.tasks:
                if (task, seed) not in done:
                    rows = search(task, seed, method)
                    append(path, HEAD, [[task, seed, *row] for row in rows])
    print(table([method for method in options.methods if method != "cold"]))


if __name__ == "__main__":
    main()
