"""Searches of the lab over three nodes beside the same searches in one process, bit by bit.

    python -m experiments.cluster.equal [--max-epochs 9 --max-trials 6]

With ``deterministic=True`` a trial's epochs do not depend on where it is trained. So Hyperband
finds the same with three workers as with one. What Bayesian optimisation and `Recommended`
propose depends on who reports first, so these have one worker, whose node is killed in the middle:
the trial goes on on another node. A final round of cross-validation is part of `Recommended`.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from experiments.cluster.nodes import Nodes, training_actors
from kerashpo.core.history import History
from kerashpo.store.open import has_log, read_events

SEARCHES = ("hyperband", "bayesian", "recommended")


def search(kind: str, folder: Path, executor: Any, max_epochs: int, max_trials: int) -> History:
    """Searches the lab (Breast Cancer Wisconsin, seed 0)."""
    import kerashpo as kt
    from kerashpo.problems.registry import make_task

    task = make_task("breast_cancer")
    split = task.load(0)
    shared: dict[str, Any] = {
        "objective": task.objective,
        "seed": 0,
        "deterministic": True,
        "directory": folder,
        "project_name": "study",
        "executor": executor,
    }
    tuner: Any
    match kind:
        case "hyperband":
            tuner = kt.Hyperband(task.build, max_epochs=max_epochs, **shared)
        case "bayesian":
            tuner = kt.BayesianOptimization(task.build, max_trials=max_trials, **shared)
        case _:
            tuner = kt.Recommended(
                task.build, max_trials=max_trials, max_epochs=max_epochs, final_round=3, **shared
            )
    epochs = {} if kind != "bayesian" else {"epochs": max_epochs}
    tuner.search(
        *split.train,
        validation_data=split.validation,
        batch_size=task.batch_size,
        verbose=0,
        **epochs,
    )
    return History(read_events(folder / "study"))


def found(history: History) -> dict[int, Any]:
    """Returns everything that must be equal: configurations, statuses, metrics of all runs."""
    return {
        number: (
            dict(trial.config),
            trial.status.value,
            {
                (run, epoch): dict(report.metrics)
                for run, reports in trial.reports.items()
                for epoch, report in reports.items()
            },
        )
        for number, trial in history.trials.items()
    }


def kill_in_the_middle(folder: Path, nodes: Nodes, epochs: int) -> None:
    """Kills the node of the worker once so many epochs are in the log."""
    while not has_log(folder) or History(read_events(folder)).epochs < epochs:
        time.sleep(0.1)
    at_work = {actor.ppid() for actor in training_actors()}
    for node in nodes.workers:
        if node.all_processes["raylet"][0].process.pid in at_work:
            nodes.cluster.remove_node(node, allow_graceful=False)
            return


def main() -> None:
    import kerashpo as kt

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--max-epochs", type=int, default=9)
    parser.add_argument("--max-trials", type=int, default=6)
    parser.add_argument("--searches", nargs="+", choices=SEARCHES, default=SEARCHES)
    given = parser.parse_args()
    size = (given.max_epochs, given.max_trials)
    for kind in given.searches:
        with tempfile.TemporaryDirectory() as place:
            one = search(kind, Path(place) / "one", None, *size)
            nodes = Nodes(3)
            try:
                several = kind == "hyperband"
                ray = kt.executors.Ray(nodes.address, workers=3 if several else 1)
                if not several:
                    middle = (Path(place) / "ray" / "study", nodes, one.epochs // 2)
                    threading.Thread(target=kill_in_the_middle, args=middle, daemon=True).start()
                many = search(kind, Path(place) / "ray", ray, *size)
            finally:
                nodes.end()
        lost = sum(
            int(trial.facts.get("worker_lost") is not None) for trial in many.trials.values()
        )
        equal = found(one) == found(many)
        print(
            f"{kind}: {len(one.trials)} trials, {one.epochs} epochs; "
            f"three nodes, {lost} trials lost their worker: {'equal' if equal else 'DIFFERENT'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
