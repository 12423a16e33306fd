"""Runs one tuner (or baseline) and takes its winner to the test set."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerashpo.compare.options import Options
from kerashpo.compare.runs import Result, Run
from kerashpo.problems.task import Split, Task, majority


def run_majority(run: Run, task: Task) -> Result:
    """Returns the row of always answering with the training classes' shares."""
    split = task.load(run.seed)
    scores = majority(split)
    classes, counts = np.unique(split.train[1], return_counts=True)
    answer = np.full(len(split.test[1]), classes[np.argmax(counts)])
    table = confusion(split.test[1], answer, len(task.classes))
    return Result(run.problem, run.tuner, run.seed, 0, 0, **scores, seconds=0.0,
                  best_config={}, confusion=table)


def run_search(run: Run, task: Task, options: Options) -> Result | None:
    """Searches and evaluates the winner; returns None where the user interrupted."""
    split = task.load(run.seed)
    tuner = make_tuner(run, task, options)
    x, y = split.train
    shared = {} if run.tuner == "hyperband" else {"epochs": options.max_epochs}
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
    loss, accuracy, table = on_test(tuner.get_best_models(1)[0], split, task)
    return Result(
        problem=run.problem,
        tuner=run.tuner,
        seed=run.seed,
        trials=len(results),
        epochs=results.epochs,
        val_accuracy=best.metrics["val_accuracy"],
        val_loss=best.metrics["val_loss"],
        test_accuracy=accuracy,
        test_loss=loss,
        seconds=results.seconds,
        best_config=best.config,
        confusion=table,
    )


def make_tuner(run: Run, task: Task, options: Options) -> Any:
    """Returns the tuner of a run; importing it imports Keras."""
    from kerashpo.tuners.bayesian import BayesianOptimization
    from kerashpo.tuners.hyperband import Hyperband
    from kerashpo.tuners.random import RandomSearch

    shared: dict[str, Any] = {
        "objective": task.objective,
        "seed": run.seed,
        "directory": run.folder,
        "project_name": run.project,
    }
    match run.tuner:
        case "hyperband":
            return Hyperband(
                task.build, max_epochs=options.max_epochs, factor=options.factor, **shared
            )
        case "bayesian":
            return BayesianOptimization(
                task.build,
                max_trials=options.max_trials,
                num_initial_points=options.initial_points,
                **shared,
            )
        case "random":
            return RandomSearch(task.build, max_trials=options.max_trials, **shared)
        case _:  # the untuned model: nothing but its defaults may be chosen
            return RandomSearch(task.build, max_trials=1, tune_new_entries=False, **shared)


def on_test(model: Any, split: Split, task: Task) -> tuple[float, float, list[list[int]]]:
    """Returns loss, accuracy and confusion matrix of a model on the test set."""
    x, y = split.test
    scores = model.evaluate(x, y, batch_size=len(y), verbose=0, return_dict=True)
    answers = np.asarray(model.predict(x, batch_size=len(y), verbose=0))
    chosen = answers.argmax(axis=-1) if answers.shape[-1] > 1 else answers[:, 0] > 0.5
    table = confusion(y, chosen.astype(int), len(task.classes))
    return float(scores["loss"]), float(scores["accuracy"]), table


def confusion(truth: Any, answer: Any, classes: int) -> list[list[int]]:
    """Returns how often each true class (rows) was answered with each class (columns)."""
    table = np.zeros((classes, classes), dtype=int)
    np.add.at(table, (np.asarray(truth, dtype=int), np.asarray(answer, dtype=int)), 1)
    return table.tolist()  # type: ignore[no-any-return]
