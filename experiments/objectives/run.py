"""Several objectives on recorded tables, against peers: ``python -m experiments.objectives.run``.

Each (task, method, seed) is a row of ``results/tables.csv``; a run resumes where it was stopped.
``--table`` prints the shares of the best hypervolume from the rows that there are.
"""

from __future__ import annotations

import argparse
import csv
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import kerashpo as kt
from experiments.objectives.tables import DEVELOPMENT, TableTask

RESULTS = Path(__file__).parent / "results" / "tables.csv"
OURS = ("random", "nsga2", "tpe", "bayesian")
PEERS = ("pymoo.nsga2", "optuna.nsga2", "optuna.tpe", "optuna.gp")
TRIALS = 100
_LEVEL = 1.96


def ours(task: TableTask, algorithm: str, seed: int) -> np.ndarray[Any, Any]:
    """Returns the costs (trials, 2) that one of our algorithms found, in order."""
    found = kt.optimize(
        lambda config: dict(zip("ab", task.costs(config))),
        task.space,
        objective=[kt.Objective("a", "min"), kt.Objective("b", "min")],
        algorithm=algorithm,
        max_trials=TRIALS,
        seed=seed,
        verbose=0,
    )
    return np.array([trial.costs for trial in found.history.trials.values()])


def optuna(task: TableTask, name: str, seed: int) -> np.ndarray[Any, Any]:
    """Returns the costs (trials, 2) that a sampler of Optuna found, all grids categorical."""
    import optuna as peer

    peer.logging.set_verbosity(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        samplers: dict[str, Callable[[], Any]] = {
            "optuna.nsga2": lambda: peer.samplers.NSGAIISampler(seed=seed),
            "optuna.tpe": lambda: peer.samplers.TPESampler(seed=seed, multivariate=True),
            "optuna.gp": lambda: peer.samplers.GPSampler(seed=seed),
        }
        study = peer.create_study(directions=["minimize"] * 2, sampler=samplers[name]())

    def value(trial: Any) -> tuple[float, ...]:
        grid = task.grid.items()
        return task.costs({key: trial.suggest_categorical(key, list(v)) for key, v in grid})

    study.optimize(value, n_trials=TRIALS)
    return np.array([trial.values for trial in study.trials])


def pymoo(task: TableTask, seed: int) -> np.ndarray[Any, Any]:
    """Returns the costs (trials, 2) that pymoo's NSGA-II found, all grids categorical."""
    from pymoo.algorithms.moo.nsga2 import RankAndCrowdingSurvival
    from pymoo.core.mixed import MixedVariableGA
    from pymoo.core.problem import ElementwiseProblem
    from pymoo.core.variable import Choice
    from pymoo.optimize import minimize

    found: list[tuple[float, ...]] = []

    class Table(ElementwiseProblem):
        def __init__(self) -> None:
            super().__init__(
                vars={name: Choice(options=list(v)) for name, v in task.grid.items()}, n_obj=2
            )

        def _evaluate(self, config: Any, out: dict[str, Any], *args: Any, **more: Any) -> None:
            found.append(task.costs(config))
            out["F"] = found[-1]

    peer = MixedVariableGA(pop_size=20, survival=RankAndCrowdingSurvival())
    minimize(Table(), peer, ("n_evals", TRIALS), seed=seed)
    return np.array(found[:TRIALS])


def search(task: TableTask, method: str, seed: int) -> np.ndarray[Any, Any]:
    """Returns the costs (trials, 2) that a method found, in order."""
    if method == "pymoo.nsga2":
        return pymoo(task, seed)
    return optuna(task, method, seed) if method in PEERS else ours(task, method, seed)


def table() -> str:
    """Returns Markdown: shares after 50 and 100 evaluations, means with 95 % intervals."""
    rows = list(csv.DictReader(RESULTS.open())) if RESULTS.exists() else []
    lines = [
        "| method | seeds | NAS-Bench-201, 50 | 100 | HPOLib, 50 | 100 |",
        "|---|---|---|---|---|---|",
    ]
    for method in (*OURS, *PEERS):
        own = [row for row in rows if row["method"] == method]
        if not own:
            continue
        cells = [
            _interval([float(r[at]) for r in own if r["task"].startswith(family)])
            for family in ("nasbench201", "hpolib")
            for at in ("share_50", "share_100")
        ]
        fewest = min(sum(r["task"] == t for r in own) for t in {r["task"] for r in own})
        lines.append(f"| {method} | {fewest} or more | {' | '.join(cells)} |")
    return "\n".join(lines)


def paired() -> str:
    """Returns Markdown: what `bayesian` gains on each method, over the seeds that both have."""
    rows = list(csv.DictReader(RESULTS.open())) if RESULTS.exists() else []
    found = {(r["task"], int(r["seed"]), r["method"]): r for r in rows}
    lines = [
        "| bayesian minus | pairs | NAS-Bench-201, 50 | 100 | HPOLib, 50 | 100 |",
        "|---|---|---|---|---|---|",
    ]
    for method in (*OURS[:-1], *PEERS):
        pairs = [
            (task, float(ours[at]) - float(found[task, seed, method][at]), at)
            for (task, seed, name), ours in found.items()
            if name == "bayesian" and (task, seed, method) in found
            for at in ("share_50", "share_100")
        ]
        cells = [
            _interval(
                [gain for task, gain, when in pairs if task.startswith(family) and when == at]
            )
            for family in ("nasbench201", "hpolib")
            for at in ("share_50", "share_100")
        ]
        lines.append(f"| {method} | {len(pairs) // 2} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _interval(values: list[float]) -> str:
    if len(values) < 2:
        return "-"
    half = _LEVEL * float(np.std(values, ddof=1)) / np.sqrt(len(values))
    return f"{np.mean(values):.3f} ± {half:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--methods", default=",".join((*OURS, *PEERS)))
    parser.add_argument("--table", action="store_true", help="print the table and end")
    given = parser.parse_args()
    if given.table:
        print(table(), paired(), sep="\n\n")
        return
    RESULTS.parent.mkdir(exist_ok=True)
    done = set()
    if RESULTS.exists():
        done = {(r["task"], r["method"], int(r["seed"])) for r in csv.DictReader(RESULTS.open())}
    else:
        RESULTS.write_text("task,method,seed,share_50,share_100\n")
    for seed in range(given.seeds):
        for place in DEVELOPMENT:
            task = TableTask(*place)
            for method in given.methods.split(","):
                if (task.name, method, seed) in done:
                    continue
                costs = search(task, method, seed)
                shares = [f"{task.share(costs[:n]):.5f}" for n in (50, TRIALS)]
                with RESULTS.open("a") as file:
                    file.write(",".join([task.name, method, str(seed), *shares]) + "\n")
                print(task.name, method, seed, *shares, flush=True)
    print(table())


if __name__ == "__main__":
    main()
