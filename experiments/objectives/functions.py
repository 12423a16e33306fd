"""Functions of two objectives, against peers: ``python -m experiments.objectives.functions``.

ZDT1-3 and DTLZ2 in six dimensions, and BNH, which has two limits; 200 evaluations. Each (function,
method, seed) is a row of ``results/functions.csv``; a run resumes where it was stopped. The measure
is the hypervolume of the feasible trials as a share of that of the true front (BNH: of 3,000 random
points), up to the reference point in `FUNCTIONS`.
"""

from __future__ import annotations

import argparse
import csv
import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import kerashpo as kt
from kerashpo.core.hypervolume import hypervolume
from kerashpo.core.pareto import non_dominated

RESULTS = Path(__file__).parent / "results" / "functions.csv"
OURS = ("nsga2", "tpe", "bayesian")
PEERS = ("pymoo.nsga2", "optuna.nsga2", "optuna.tpe", "optuna.gp")
METHODS = (*OURS, *PEERS)
EVALUATIONS = 200
Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Function:
    """Two costs of a vector, and limits that are kept where they are at most 0.

    Attributes:
        costs: from (n, d) to (n, 2).
        upper: the upper bounds of the box, whose lower bounds are 0.
        reference: the reference point of the hypervolume.
        limits: from (n, d) to (n, c); None for no limits.
    """

    costs: Callable[[Numbers], Numbers]
    upper: tuple[float, ...]
    reference: tuple[float, float]
    limits: Callable[[Numbers], Numbers] | None = None


def zdt(number: int) -> Callable[[Numbers], Numbers]:
    """Returns a function of Zitzler, Deb and Thiele (Evolutionary Computation 8(2), 2000)."""

    def costs(x: Numbers) -> Numbers:
        one, g = x[:, 0], 1.0 + 9.0 * x[:, 1:].mean(axis=1)
        share = one / g
        match number:
            case 1:
                shape = 1.0 - np.sqrt(share)
            case 2:
                shape = 1.0 - share**2
            case _:
                shape = 1.0 - np.sqrt(share) - share * np.sin(10.0 * np.pi * one)
        return np.column_stack([one, g * shape])

    return costs


def dtlz2(x: Numbers) -> Numbers:
    """Returns the costs of DTLZ2 with two objectives (Deb, Thiele, Laumanns and Zitzler, 2002)."""
    g, angle = ((x[:, 1:] - 0.5) ** 2).sum(axis=1), x[:, 0] * np.pi / 2.0
    return np.column_stack([(1.0 + g) * np.cos(angle), (1.0 + g) * np.sin(angle)])


def bnh(x: Numbers) -> Numbers:
    """Returns the costs of Binh and Korn's function (1997)."""
    return np.column_stack([4.0 * (x**2).sum(axis=1), ((x - 5.0) ** 2).sum(axis=1)])


def bnh_limits(x: Numbers) -> Numbers:
    """Returns its two limits."""
    one, two = x[:, 0], x[:, 1]
    return np.column_stack(
        [(one - 5.0) ** 2 + two**2 - 25.0, 7.7 - (one - 8.0) ** 2 - (two + 3.0) ** 2]
    )


BOX = (1.0,) * 6
FUNCTIONS = {
    "ZDT1": Function(zdt(1), BOX, (1.1, 1.1)),
    "ZDT2": Function(zdt(2), BOX, (1.1, 1.1)),
    "ZDT3": Function(zdt(3), BOX, (1.1, 1.1)),
    "DTLZ2": Function(dtlz2, BOX, (1.1, 1.1)),
    "BNH": Function(bnh, (5.0, 3.0), (140.0, 50.0), bnh_limits),
}


def best(function: Function) -> float:
    """Returns the hypervolume of the true front."""
    if function.limits is None:
        x = np.zeros((3_000, len(function.upper)))
        x[:, 0] = np.linspace(0.0, 1.0, len(x))
        if function.costs is dtlz2:
            x[:, 1:] = 0.5
    else:
        drawn = np.random.default_rng(0).random((3_000, len(function.upper)))
        x = drawn * np.array(function.upper)
        x = x[(function.limits(x) <= 0.0).all(axis=1)]
    costs = function.costs(x)
    return hypervolume(costs[non_dominated(costs)], np.array(function.reference))


def evaluate(function: Function, x: Numbers) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns the costs and limits of one vector."""
    row = np.atleast_2d(x)
    limits = () if function.limits is None else tuple(map(float, function.limits(row)[0]))
    return tuple(map(float, function.costs(row)[0])), limits


def ours(function: Function, method: str, seed: int) -> list[Numbers]:
    names = [f"x{i}" for i in range(len(function.upper))]
    space = {name: kt.space.uniform(0.0, top) for name, top in zip(names, function.upper)}
    seen: list[Numbers] = []

    def fn(config: dict[str, Any]) -> dict[str, float]:
        seen.append(np.array([config[name] for name in names]))
        costs, limits = evaluate(function, seen[-1])
        found = {f"f{i}": value for i, value in enumerate(costs)}
        return found | {f"g{i}": value for i, value in enumerate(limits)}

    count = 0 if function.limits is None else 2
    kt.optimize(
        fn,
        space,
        objective=[kt.Objective(f"f{i}", "min") for i in range(2)],
        limits={kt.Objective(f"g{i}", "min"): 0.0 for i in range(count)} or None,
        algorithm=method,
        max_trials=EVALUATIONS,
        seed=seed,
        verbose=0,
    )
    return seen


def optuna(function: Function, method: str, seed: int) -> list[Numbers]:
    import optuna as peer

    peer.logging.set_verbosity(logging.WARNING)
    seen: list[Numbers] = []

    def limits(trial: Any) -> tuple[float, ...]:
        return tuple(trial.user_attrs["limits"])

    kept = None if function.limits is None else limits
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given = {"seed": seed, "constraints_func": kept}
        samplers: dict[str, Callable[[], Any]] = {
            "optuna.nsga2": lambda: peer.samplers.NSGAIISampler(population_size=20, **given),
            "optuna.tpe": lambda: peer.samplers.TPESampler(multivariate=True, **given),
            "optuna.gp": lambda: peer.samplers.GPSampler(**given),
        }
        study = peer.create_study(directions=["minimize"] * 2, sampler=samplers[method]())

        def value(trial: Any) -> tuple[float, ...]:
            tops = enumerate(function.upper)
            seen.append(np.array([trial.suggest_float(f"x{i}", 0.0, top) for i, top in tops]))
            costs, broken = evaluate(function, seen[-1])
            trial.set_user_attr("limits", broken)
            return costs

        study.optimize(value, n_trials=EVALUATIONS)
    return seen


def pymoo(function: Function, method: str, seed: int) -> list[Numbers]:
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import ElementwiseProblem
    from pymoo.optimize import minimize

    seen: list[Numbers] = []
    count = 0 if function.limits is None else 2

    class Problem(ElementwiseProblem):
        def __init__(self) -> None:
            upper = np.array(function.upper)
            super().__init__(
                n_var=len(upper), n_obj=2, n_ieq_constr=count, xl=np.zeros_like(upper), xu=upper
            )

        def _evaluate(self, x: Any, out: dict[str, Any], *args: Any, **more: Any) -> None:
            seen.append(np.array(x))
            out["F"], limits = evaluate(function, x)
            if count:
                out["G"] = limits

    minimize(Problem(), NSGA2(pop_size=20), ("n_evals", EVALUATIONS), seed=seed)
    return seen[:EVALUATIONS]


def share(function: Function, seen: list[Numbers], whole: float) -> float:
    """Returns the hypervolume of what was evaluated, as a share of the true front's."""
    x = np.array(seen)
    if function.limits is not None:
        x = x[(function.limits(x) <= 0.0).all(axis=1)]
    if not len(x):
        return 0.0
    return hypervolume(function.costs(x), np.array(function.reference)) / whole


def table() -> str:
    """Returns Markdown: mean shares with 95 % intervals over seeds."""
    rows = list(csv.DictReader(RESULTS.open())) if RESULTS.exists() else []
    lines = [f"| method | {' | '.join(FUNCTIONS)} |", "|---" * (len(FUNCTIONS) + 1) + "|"]
    for method in METHODS:
        cells = []
        for name in FUNCTIONS:
            own = [
                float(r["share"]) for r in rows if (r["function"], r["method"]) == (name, method)
            ]
            half = 1.96 * np.std(own, ddof=1) / np.sqrt(len(own)) if len(own) > 1 else np.nan
            cells.append(f"{np.mean(own):.3f} ± {half:.3f} ({len(own)})" if own else "-")
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


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
    RESULTS.parent.mkdir(exist_ok=True)
    if not RESULTS.exists():
        RESULTS.write_text("function,method,seed,share\n")
    done = {(r["function"], r["method"], int(r["seed"])) for r in csv.DictReader(RESULTS.open())}
    whole = {name: best(function) for name, function in FUNCTIONS.items()}
    for seed in range(seeds):
        for name, function in FUNCTIONS.items():
            for method in methods:
                if (name, method, seed) in done:
                    continue
                search = {"optuna": optuna, "pymoo": pymoo}.get(method.partition(".")[0], ours)
                found = share(function, search(function, method, seed), whole[name])
                with RESULTS.open("a") as file:
                    file.write(f"{name},{method},{seed},{found:.5f}\n")
                print(name, method, seed, f"{found:.4f}", flush=True)


if __name__ == "__main__":
    main()
