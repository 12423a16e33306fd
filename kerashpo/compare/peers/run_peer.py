"""Runs one cell with another library's tuner, recorded epoch by epoch."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any

import keras
import keras_tuner

from kerashpo.analysis.expected_score import expected_of
from kerashpo.analysis.intervals import is_proportion
from kerashpo.analysis.saturation import saturation_of
from kerashpo.compare.comparison_options import ComparisonOptions
from kerashpo.compare.evaluate import on_test, without_warnings
from kerashpo.compare.hypervolumes import front_point
from kerashpo.compare.models import model_score, refitted
from kerashpo.compare.peers.recorder import BudgetSpent, PeerSettings, Recorder, Winner
from kerashpo.compare.runs import Result, Run, write_json
from kerashpo.core.errors import NoResult
from kerashpo.problems.splits import Split
from kerashpo.problems.task import Task
from kerashpo.training.folds import fit_values, read_fit_hp


def run_peer(run: Run, task: Task, options: ComparisonOptions) -> Result:
    """Searches with another library's tuner and evaluates its winner on the test set.

    Raises:
        NoResult: if no epoch had a finite score.
    """
    settings = PeerSettings(
        task,
        task.load(run.seed),
        options.allowance(run.tuner),
        run.folder,
        run.seed,
        options.max_epochs,
        options.factor,
        options.initial_points,
    )
    recorder = Recorder(task.objective, settings.allowed.epochs, task.further)
    return record_search(run, task, recorder, lambda split: _search(run.tuner, settings, recorder))


def record_search(
    run: Run, task: Task, recorder: Recorder, search: Callable[[Split], None]
) -> Result:
    """Searches under a recorder and evaluates its best epoch on the test set, in plain Keras.

    Args:
        run: the cell.
        task: the task whose hypermodel is tuned.
        recorder: a callback of the search; it ends it when the epochs are spent.
        search: searches on the train and validation parts of a split.

    Raises:
        NoResult: if no epoch had a finite score.
    """
    split = task.load(run.seed)
    run.folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(run.seed)
    with without_warnings(), contextlib.suppress(BudgetSpent):
        recorder.start_clock()
        search(split)
    seconds = recorder.seconds
    if recorder.best is None:
        raise NoResult(f"{run.label}: no epoch had a finite {task.objective.name}.")
    write_json(run.curves, recorder.curves)
    if task.further:
        return _front_result(run, task, recorder, split, seconds)
    with without_warnings():
        model, config = rebuilt(task, recorder.best)
        scores, table = on_test(model, split, task)
        best, spent = recorder.best, recorder.epochs
        shares = _shares(recorder, split, task)
        expected = expected_of(*shares).value if shares else math.nan
        reported = (best.metrics.get(task.objective.name, math.nan), expected)
        fresh, fit = built(task, best)[0], fit_values(read_fit_hp(task.fit_hp), best.values)
        models = (
            model_score("winner", model, split, task, spent, 1, *reported),
            refitted(task, split, fresh, fit, best.epoch, spent),
        )
    return Result.of(
        run,
        task,
        trials=recorder.trials,
        epochs=recorder.epochs,
        seconds=seconds,
        validation=recorder.best.metrics,
        test=scores,
        config=config,
        confusion=table,
        steps=recorder.steps,
        saturation=saturation_of(*shares) if shares else None,
        models=models,
    )


def _front_result(run: Run, task: Task, recorder: Recorder, split: Split, seconds: float) -> Result:
    """Returns the result of a search with several objectives: its whole front on the test set."""
    front, measured = [], []
    with without_warnings():
        for number, winner in recorder.front():
            model, config = rebuilt(task, winner)
            measured.append((*on_test(model, split, task), config, winner))
            front.append(front_point(task, number, config, winner.metrics, measured[-1][0]))
    if not front:
        raise NoResult(f"{run.label}: no epoch had a finite value of every objective.")
    scores, table, config, knee = measured[0]
    return Result.of(
        run,
        task,
        trials=recorder.trials,
        epochs=recorder.epochs,
        seconds=seconds,
        validation=knee.metrics,
        test=scores,
        config=config,
        confusion=table,
        steps=recorder.steps,
        front=front,
        front_steps=recorder.front_steps,
    )


def _shares(recorder: Recorder, split: Split, task: Task) -> tuple[list[float], int] | None:
    """Returns the trials' accuracies, the best first, and their rows; None if not known."""
    name, rows = task.objective.name, len(split.validation[1])
    if not is_proportion(name) or task.objective.direction != "max":
        return None
    best: dict[int, float] = {}
    for trial, _, metric, value, *_ in recorder.curves:
        if metric == name and math.isfinite(value):
            best[trial] = max(value, best.get(trial, value))
    return (sorted(best.values(), reverse=True), rows) if best else None


def _search(tuner: str, settings: PeerSettings, recorder: Recorder) -> None:
    library, _, name = tuner.partition(".")
    if library == "keras_tuner":
        from kerashpo.compare.peers import keras_tuner as peer

        peer.search(name, settings, recorder)
    else:
        from kerashpo.compare.peers import optuna as other

        other.search(name, settings, recorder)


def rebuilt(task: Task, best: Winner) -> tuple[Any, dict[str, Any]]:
    """Returns the winner's model with its best weights, and its hyperparameter values."""
    model, config = built(task, best)
    model.set_weights(best.weights)
    return model, config


def built(task: Task, best: Winner) -> tuple[Any, dict[str, Any]]:
    """Returns a new model of the winner's configuration, and its hyperparameter values."""
    hp = keras_tuner.HyperParameters()
    hp.values = dict(best.values)
    model = task.build(hp)
    asked = {param.name for param in hp.space} | set(task.fit_hp)
    return model, {name: value for name, value in best.values.items() if name in asked}
