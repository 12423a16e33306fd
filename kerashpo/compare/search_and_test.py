"""Searches with a tuner of ours and evaluates its winner on the test set."""

from __future__ import annotations

import math
from typing import Any

from kerashpo.analysis.anytime import steps
from kerashpo.analysis.expected_score import expected_best
from kerashpo.analysis.fronts import front_steps
from kerashpo.analysis.saturation import saturation
from kerashpo.compare.comparison_options import ComparisonOptions
from kerashpo.compare.evaluate import on_test
from kerashpo.compare.hypervolumes import front_point
from kerashpo.compare.models import further_models, model_score, untuned_average
from kerashpo.compare.runs import Result, Run
from kerashpo.compare.tuners import OURS, trains_fully
from kerashpo.problems.splits import Split
from kerashpo.problems.task import Task
from kerashpo.study.results import Results


def search_and_test(
    run: Run, task: Task, tuner: Any, options: ComparisonOptions, always_epochs: bool = False
) -> Result | None:
    """Searches with a tuner of kerashpo and evaluates its winner on the test set.

    Args:
        run: the cell.
        task: the task whose hypermodel is tuned.
        tuner: the tuner of the run.
        options: the comparison.
        always_epochs: whether to pass the epochs to `search` whatever the tuner's name.

    Returns:
        the result, None where the user interrupted.
    """
    split = task.load(run.seed)
    x, y = split.train
    epochs = {"epochs": options.max_epochs} if always_epochs or trains_fully(run.tuner) else {}
    tuner.search(
        x,
        y,
        validation_data=split.validation,
        batch_size=task.batch_size,
        verbose=0 if options.quiet else 1,
        **epochs,
        **_final_round(run.tuner, task, options),
    )
    results = tuner.results
    if results.stopped == "interrupted":
        return None
    if task.further:
        return _front_result(run, task, tuner, split)
    best = results.best
    winner = tuner.get_best_models(1)[0]
    scores, table = on_test(winner, split, task, compiled=True)
    expected = expected_best(results.history)
    reported = (best.score, math.nan if expected is None else expected.value)
    models = [model_score("winner", winner, split, task, results.epochs, 1, *reported)]
    if task.averages:
        models += further_models(tuner, split, task)
    if run.tuner == "default" and task.averages:
        epochs_each = options.max_epochs
        models.append(untuned_average(task, split, epochs_each, run.seed, str(run.folder)))
    tied = saturation(results.history)
    return _result(run, task, results, scores, table, saturation=tied, models=models)


def _front_result(run: Run, task: Task, tuner: Any, split: Split) -> Result:
    """Returns the result of a search with several objectives: its whole front on the test set.

    A search for a weighted sum of them returns one model, its best.
    """
    results = tuner.results
    history = results.history
    numbers = [results.best.trial]
    if len(history.objectives) == len(task.objectives):
        numbers = history.ranking(history.front())  # the knee first
    front, measured = [], []
    for number, model in zip(numbers, tuner.get_best_models(len(numbers)), strict=True):
        metrics = history.trials[number].metrics_at_best()
        measured.append(on_test(model, split, task, compiled=True))
        config = dict(results.space.realise(history.trials[number].config))
        front.append(front_point(task, number, config, metrics, measured[-1][0]))
    changes = front_steps(history, task.objectives)
    return _result(run, task, results, *measured[0], front=front, front_steps=changes)


def _result(
    run: Run,
    task: Task,
    results: Results,
    scores: dict[str, float],
    table: list[list[int]],
    **further: Any,
) -> Result:
    """Returns the result of a search whose best model has `scores` on the test set."""
    best = results.best
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
        **further,
    )


def _final_round(tuner: str, task: Task, options: ComparisonOptions) -> dict[str, Any]:
    """Returns the argument of `search` for a final round within the budget, where there is one.

    Rows in time order have none: its shuffled folds would train on what comes after. Groups have
    none: they would be torn apart. Several objectives have none: it chooses by one.
    """
    whole = task.same_split or task.further or not (task.averages and task.folds)
    possible = tuner in OURS and tuner != "pbt" and not whole
    folds = options.final_round_of(tuner) if possible else None
    if folds is None:
        return {"final_round": False} if tuner == "recommended" else {}
    return {"final_round": folds}
