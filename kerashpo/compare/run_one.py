"""Carries out one run, whoever searches in it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from kerashpo.analysis.anytime import steps
from kerashpo.compare.arguments import ComparisonOptions
from kerashpo.compare.evaluate import confusion, import_quietly, on_test
from kerashpo.compare.runs import Result, Run
from kerashpo.compare.tuners import PEERS, UNTRAINED
from kerashpo.problems.registry import make_task
from kerashpo.problems.task import Task, majority, mean_answer

_FULL = ("bayesian", "random", "default")


def run_untrained(run: Run, task: Task) -> Result:
    """Returns the row of an answer that needs no model: the commonest class, or the mean."""
    split = task.load(run.seed)
    scores = majority(split) if task.classes else mean_answer(split)
    table: list[list[int]] = []
    if task.classes:
        classes, counts = np.unique(split.train[1], return_counts=True)
        answer = np.full(len(split.test[1]), classes[np.argmax(counts)])
        table = confusion(split.test[1], answer, len(task.classes))
    return Result.of(
        run,
        task,
        trials=0,
        epochs=0,
        seconds=0.0,
        validation=scores,
        test={name.removeprefix("test_"): value for name, value in scores.items()},
        config={},
        confusion=table,
        steps=(),
    )


def run_search(run: Run, task: Task, options: ComparisonOptions) -> Result | None:
    """Searches and evaluates the winner; returns None where the user interrupted."""
    split = task.load(run.seed)
    tuner = make_tuner(run, task, options)
    x, y = split.train
    shared = {"epochs": options.max_epochs} if run.tuner in _FULL else {}
    tuner.search(
        x,
        y,
        validation_data=split.validation,
        batch_size=task.batch_size,
        verbose=0 if options.quiet else 1,
        **shared,
    )
    results = tuner.results
    if results.stopped == "interrupted":
        return None
    best = results.best
    scores, table = on_test(tuner.get_best_models(1)[0], split, task, compiled=True)
    return Result.of(
        run,
        task,
        trials=len(results),
        epochs=results.epochs,
        seconds=results.seconds,
        validation=best.metrics,
        test=scores,
        config=best.config,
        confusion=table,
        steps=steps(results.history),
    )


def make_tuner(run: Run, task: Task, options: ComparisonOptions) -> Any:
    """Returns the tuner of a run; importing it imports Keras."""
    from kerashpo.tuners.asha import ASHA
    from kerashpo.tuners.bayesian import BayesianOptimization
    from kerashpo.tuners.hyperband import Hyperband
    from kerashpo.tuners.random import RandomSearch

    allowed = options.allowance(run.tuner)
    shared: dict[str, Any] = {
        "objective": task.objective,
        "seed": run.seed,
        "directory": run.folder,
        "project_name": run.project,
    }
    rungs: dict[str, Any] = {"max_epochs": options.max_epochs, "factor": options.factor, **shared}
    match run.tuner:
        case "hyperband" | "bohb":
            model = "bayesian" if run.tuner == "bohb" else "random"
            bound: dict[str, Any] = (
                {} if options.total is None else {"max_epochs_total": options.total}
            )
            rounds = allowed.rounds
            return Hyperband(
                task.build, hyperband_iterations=rounds, algorithm=model, **bound, **rungs
            )
        case "asha" | "recommended":
            model = "bayesian" if run.tuner == "recommended" else "random"
            return ASHA(task.build, max_epochs_total=allowed.epochs, algorithm=model, **rungs)
        case "bayesian":
            points = options.initial_points
            return BayesianOptimization(
                task.build, max_trials=allowed.trials or 1, num_initial_points=points, **shared
            )
        case "random":
            return RandomSearch(task.build, max_trials=allowed.trials or 1, **shared)
        case _:  # the untuned model: nothing but its defaults may be chosen
            return RandomSearch(task.build, max_trials=1, tune_new_entries=False, **shared)


def carry_out(run: Run, options: ComparisonOptions) -> Result | None:
    """Runs one cell and keeps its row; returns None where the user interrupted."""
    task = make_task(run.problem)
    if run.tuner in UNTRAINED:
        found: Result | None = run_untrained(run, task)
    elif run.tuner in PEERS:
        from kerashpo.compare.peers.run_peer import run_peer

        found = run_peer(run, task, options)
    else:
        found = run_search(run, task, options)
    if found is not None:
        run.keep(found)
    return found


def needs_keras(run: Run) -> bool:
    """Tells whether a run would have to load Keras first."""
    return run.tuner not in UNTRAINED and "keras" not in sys.modules


def load_keras() -> None:
    """Loads Keras and its backend without their greetings."""
    import_quietly("keras_tuner")
