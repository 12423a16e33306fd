"""Runs one cell: a search with one of our tuners, by another library, or a baseline."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from kerashpo.compare.comparison_options import ComparisonOptions
from kerashpo.compare.evaluate import confusion, constant_scores
from kerashpo.compare.runs import Result, Run
from kerashpo.compare.search_and_test import search_and_test
from kerashpo.compare.tuners import PEERS, UNTRAINED
from kerashpo.problems.baselines import constant_answer, labels_of
from kerashpo.problems.splits import Split
from kerashpo.problems.task import Task
from kerashpo.quiet_import import import_quietly
from kerashpo.schedulers.registry import tuner_pair


def run_one(run: Run, options: ComparisonOptions) -> Result | None:
    """Runs one cell and writes its result; returns None where the user interrupted."""
    task = run.task()
    if run.tuner in UNTRAINED:
        result: Result | None = run_untrained(run, task)
    elif run.own_tuner:
        from kerashpo.compare.outside import run_own_tuner

        result = run_own_tuner(run, task, options)
    elif run.tuner in PEERS:
        from kerashpo.compare.peers.run_peer import run_peer

        result = run_peer(run, task, options)
    else:
        result = run_search(run, task, options)
    if result is not None:
        run.keep(result)
    return result


def run_untrained(run: Run, task: Task) -> Result:
    """Returns the result of a rival, or of the commonest class or the mean."""
    split = task.load(run.seed)
    rival = run.tuner == "rival"
    scores = task.rival(split) if rival and task.rival else _constant(task, split)
    table: list[list[int]] = []
    if task.classes and not rival:
        shares = constant_answer(split.train[1], len(task.classes))
        truth = labels_of(split.test[1])
        table = confusion(truth, np.full(len(truth), shares.argmax()), len(shares))
    test = {
        name.removeprefix("test_"): value
        for name, value in scores.items()
        if name.startswith("test_")
    }
    return Result.of(
        run,
        task,
        trials=0,
        epochs=0,
        seconds=0.0,
        validation=scores,
        test=test,
        config={},
        confusion=table,
        steps=(),
    )


def _constant(task: Task, split: Split) -> dict[str, float]:
    """Returns the metrics of the constant answer; where they cannot be measured, NaN."""
    if task.constant is not None:
        return task.constant(split)
    import keras_tuner

    model = task.build(keras_tuner.HyperParameters())
    try:
        return constant_scores(model, split, task)
    except (TypeError, ValueError, AttributeError, NotImplementedError):
        # A model's custom losses and metrics may not accept constant predictions.
        return {task.objective.name: math.nan}


def run_search(run: Run, task: Task, options: ComparisonOptions) -> Result | None:
    """Searches and evaluates the winner; returns None where the user interrupted."""
    tuner = make_tuner(run, task, options)
    return search_and_test(run, task, tuner, options)


def make_tuner(run: Run, task: Task, options: ComparisonOptions) -> Any:
    """Returns the tuner of a run; importing it imports Keras."""
    from kerashpo.tuners.random import RandomSearch
    from kerashpo.tuners.recommended import Recommended

    shared: dict[str, Any] = {
        "objective": list(task.objectives) if task.further else task.objective,
        "seed": run.seed,
        "directory": run.folder,
        "project_name": run.project,
        "lang": options.lang,
        "fit_hp": task.fit_hp or None,
    }
    if run.tuner == "default":  # the untuned model: only default values may be used
        return RandomSearch(task.build, max_trials=1, tune_new_entries=False, **shared)
    if run.tuner == "recommended":
        epochs = options.allowance(run.tuner).epochs
        most: dict[str, Any] = {"max_trials": None, "max_epochs_total": epochs}
        return Recommended(task.build, max_epochs=options.max_epochs, **most, **shared)
    if tuner_pair(run.tuner).scheduler in ("hyperband", "asha", "pbt"):
        return _with_rungs(run, task, options, shared)
    return _of_full_trials(run, task, options, shared)


def _with_rungs(run: Run, task: Task, options: ComparisonOptions, shared: dict[str, Any]) -> Any:
    """Returns a tuner that trains some trials further than others."""
    from kerashpo.tuners.asha import ASHA
    from kerashpo.tuners.hyperband import Hyperband
    from kerashpo.tuners.pbt import PBT

    allowed, pair = options.allowance(run.tuner), tuner_pair(run.tuner)
    if pair.scheduler == "pbt":
        return PBT(
            task.build,
            population=allowed.trials or 1,
            interval=max(1, options.max_epochs // 10),
            max_epochs=options.max_epochs,
            **shared,
        )
    rungs: dict[str, Any] = {
        "max_epochs": options.max_epochs,
        "factor": options.factor,
        "algorithm": pair.algorithm,
        "algorithm_options": pair.hints,
        **shared,
    }
    if pair.scheduler == "asha":
        return ASHA(task.build, max_epochs_total=allowed.epochs, **rungs)
    if options.total is not None:
        rungs["max_epochs_total"] = options.total
    return Hyperband(task.build, hyperband_iterations=allowed.rounds, **rungs)


def _of_full_trials(
    run: Run, task: Task, options: ComparisonOptions, shared: dict[str, Any]
) -> Any:
    """Returns a tuner that trains every trial for all its epochs."""
    from kerashpo.tuners.bayesian import BayesianOptimization
    from kerashpo.tuners.random import RandomSearch
    from kerashpo.tuners.search import Search

    trials, pair = options.allowance(run.tuner).trials or 1, tuner_pair(run.tuner)
    if pair.algorithm == "bayesian":
        points = options.initial_points
        return BayesianOptimization(
            task.build, max_trials=trials, num_initial_points=points, **shared
        )
    if pair.algorithm == "random":
        return RandomSearch(task.build, max_trials=trials, **shared)
    hints: dict[str, Any] = {"algorithm": pair.algorithm, "algorithm_options": pair.hints}
    return Search(task.build, max_trials=trials, **shared, **hints)


def needs_keras(run: Run) -> bool:
    """Returns whether a run would have to import Keras first."""
    if run.tuner == "rival":
        return False
    untrained = run.tuner in UNTRAINED and run.task().constant is not None
    return not untrained and "keras" not in sys.modules


def load_keras() -> None:
    """Imports Keras and its backend without the backend's start-up notices."""
    import_quietly("keras_tuner")
