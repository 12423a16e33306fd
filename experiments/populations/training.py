"""Real training at equal epochs: PBT, `Recommended`, KerasTuner, and Ray Tune's own PBT.

    KERAS_BACKEND=jax python -m experiments.populations.training digits [--seeds 10]
    KERAS_BACKEND=tensorflow python -m experiments.populations.training mnist

The networks of `networks`, 8 members, as many epochs for each method. Each seed has its own split;
the figure is the log loss on the test rows, which no search has seen, of the model with the best
validation loss. Rows of results/training.csv are kept. ``ray_tune`` needs ``ray[tune]``.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from experiments.populations.networks import MEMBERS, PROBLEMS, Problem

RESULTS = Path(__file__).parent / "results" / "training.csv"


def pbt(problem: Problem, seed: int, data: dict[str, Any], folder: str, **options: Any) -> Any:
    """Population-based training."""
    import kerashpo as kt

    tuner = kt.PBT(
        problem.build,
        "val_loss",
        population=MEMBERS,
        interval=problem.interval,
        max_epochs=problem.epochs,
        seed=seed,
        directory=folder,
        **options,
    )
    tuner.search(**data, verbose=0)
    return tuner.results.best_model()


def recommended(problem: Problem, seed: int, data: dict[str, Any], folder: str) -> Any:
    """`kt.Recommended`, without its final round: its winner."""
    import kerashpo as kt

    tuner = kt.Recommended(
        problem.build,
        "val_loss",
        max_epochs=problem.epochs,
        max_epochs_total=MEMBERS * problem.epochs,
        seed=seed,
        directory=folder,
    )
    tuner.search(**data, verbose=0, final_round=False)
    return tuner.results.best_model()


def keras_tuner(problem: Problem, seed: int, data: dict[str, Any], folder: str) -> Any:
    """KerasTuner's Bayesian optimisation of 8 trials, the best epoch of each."""
    import keras_tuner as peer

    tuner = peer.BayesianOptimization(
        problem.build, "val_loss", max_trials=MEMBERS, seed=seed, directory=folder, overwrite=True
    )
    tuner.search(**data, epochs=problem.epochs, verbose=0)
    return tuner.get_best_models(1)[0]


def ray_tune(problem: Problem, seed: int, data: dict[str, Any], folder: str) -> Any:
    """Ray Tune's PBT; its members report the test loss themselves, which decides nothing."""
    from experiments.populations.ray_training import search

    return search(problem.name, seed)


METHODS: dict[str, Callable[..., Any]] = {
    "pbt": pbt,
    "pb2": partial(pbt, explore="bayesian"),
    "recommended": recommended,
    "keras_tuner": keras_tuner,
    "ray_tune": ray_tune,
}


def main() -> None:
    """Runs what is missing, and prints means, standard errors and differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("problem", choices=PROBLEMS)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    given = parser.parse_args()
    known = list(csv.DictReader(RESULTS.open())) if RESULTS.exists() else []
    for seed in range(given.first, given.first + given.seeds):
        for method in given.methods:
            key = (given.problem, method, str(seed))
            if any((row["problem"], row["method"], row["seed"]) == key for row in known):
                continue
            row = _run(PROBLEMS[given.problem], method, seed)
            known.append({name: str(value) for name, value in row.items()})
            with RESULTS.open("a", newline="") as file:
                writer = csv.DictWriter(file, list(row))
                if file.tell() == 0:
                    writer.writeheader()
                writer.writerow(row)
    last = given.first + given.seeds
    mine = [row for row in known if row["problem"] == given.problem]
    _print([row for row in mine if given.first <= int(row["seed"]) < last])


def _run(problem: Problem, method: str, seed: int) -> dict[str, Any]:
    (x, y), validation, test = problem.load(seed)
    data = {"x": x, "y": y, "validation_data": validation, "batch_size": problem.batch_size}
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        found = METHODS[method](problem, seed, data, folder)
        cpu = time.process_time() - began
        loss, accuracy = found if isinstance(found, tuple) else tested(found, *test)
    return {
        "problem": problem.name,
        "method": method,
        "seed": seed,
        "test_loss": round(loss, 5),
        "test_accuracy": round(accuracy, 4),
        "cpu": round(cpu, 1),
    }


def tested(model: Any, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Returns log loss and accuracy of a model on test rows."""
    predicted = np.asarray(model.predict(x, batch_size=500, verbose=0), float)
    truth = np.clip(predicted[np.arange(len(predicted)), y], 1e-7, 1.0)
    return float(-np.log(truth).mean()), float((predicted.argmax(axis=1) == y).mean())


def _print(rows: list[dict[str, str]]) -> None:
    found = {m: {r["seed"]: r for r in rows if r["method"] == m} for m in METHODS}
    for method, by_seed in found.items():
        for name in ("test_loss", "test_accuracy", "cpu"):
            values = np.array([float(row[name]) for row in by_seed.values()])
            if len(values) > 1:
                error = values.std(ddof=1) / len(values) ** 0.5
                print(
                    f"{method:12} {name:14} {values.mean():.4f} ± {error:.4f}  {len(values)} seeds"
                )
    for mine in ("pbt", "pb2"):
        for other in ("recommended", "keras_tuner", "ray_tune"):
            _print_difference(mine, found[mine], other, found[other])


def _print_difference(
    mine: str, ours: dict[str, dict[str, str]], other: str, theirs: dict[str, dict[str, str]]
) -> None:
    """Prints the mean difference of test losses with its 95 % interval (Student's t)."""
    from scipy.stats import t

    both = [seed for seed in ours if seed in theirs]
    if len(both) < 2:
        return
    apart = np.array([float(ours[s]["test_loss"]) - float(theirs[s]["test_loss"]) for s in both])
    half = t.ppf(0.975, len(both) - 1) * apart.std(ddof=1) / len(both) ** 0.5
    low, high = apart.mean() - half, apart.mean() + half
    print(f"{mine} - {other}: {apart.mean():+.4f}, 95 % from {low:+.4f} to {high:+.4f}")


if __name__ == "__main__":
    main()
