"""Test scores of the models that a search returns: winner, ensembles, final round.

The tables of a comparison show winners: one checkpoint per tuner, as KerasTuner returns it. This
module evaluates further models: those that cost no or few further epochs, the schedule of a
population trained anew, and two baselines: the untuned model averaged over five seeds, and another
library's winner refitted on training and validation rows, as KerasTuner's tutorial advises.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from kerashpo.compare.evaluate import on_test
from kerashpo.compare.latency import latency
from kerashpo.problems.splits import Split
from kerashpo.problems.task import Task

MEMBERS = 10
"""Trials that an ensemble averages."""
SEEDS = 5
"""Trainings of the untuned model that are averaged."""
FRESH = 1000
"""The run whose initial weights and order of rows a replayed schedule gets, which no trial had."""
ORDER = ("winner", "replay", "refit", "ensemble", "final", "final_all", "average")


@dataclass(frozen=True, slots=True)
class ModelScore:
    """One model of a search on the test set.

    Attributes:
        model: ``"winner"`` (one checkpoint), ``"replay"`` (a fresh model trained on the schedule of
            a population's winner), ``"refit"`` (the winner trained again on training and
            validation rows), ``"ensemble"`` (the ten best trials averaged), ``"final"`` and
            ``"final_all"`` (the fold models of a final round's winner, and of all its finalists,
            averaged), ``"average"`` (the untuned model, five seeds averaged).
        members: the number of networks whose predictions are averaged.
        parameters: the number of weights of all networks.
        epochs: the number of epochs trained for it.
        shown: the score that the search reports; NaN if it reports none.
        test_score: the objective's metric on the test set.
        test_loss: the loss there.
        expected: the score on new data that the search estimates; NaN if it estimates none.
        milliseconds: the time of a prediction for one row, see `latency`.
    """

    model: str
    members: int
    parameters: int
    epochs: int
    shown: float
    test_score: float
    test_loss: float
    expected: float = math.nan
    milliseconds: float = math.nan


def model_score(
    name: str,
    model: Any,
    split: Split,
    task: Task,
    epochs: int,
    members: int = 1,
    shown: float = math.nan,
    expected: float = math.nan,
) -> ModelScore:
    """Evaluates a model on the test set; see `ModelScore` for the arguments."""
    scores, _ = on_test(model, split, task, compiled=True)
    return ModelScore(
        name,
        members,
        int(model.count_params()),
        epochs,
        shown,
        scores.get(task.metric, math.nan),
        scores.get("loss", math.nan),
        expected,
        latency(model, split.test[0]),
    )


def further_models(tuner: Any, split: Split, task: Task) -> tuple[ModelScore, ...]:
    """Returns the models of a search by a kerashpo tuner, without its winner.

    A search of a single trial has none. Averages cost no epoch beyond the search's own, a replayed
    schedule as many as its winner was trained.

    Args:
        tuner: the tuner, after its search.
        split: the data of the seed.
        task: the task whose hypermodel is tuned.
    """
    results, spent = tuner.results, tuner.results.epochs
    found = []
    if (model := replayed(tuner, split, task)) is not None:
        found.append(model_score("replay", model, split, task, spent + results.best.epoch))
    members = len(results.members(MEMBERS))
    if members > 1:
        found.append(
            model_score("ensemble", results.ensemble(MEMBERS), split, task, spent, members)
        )
    if any(trial.extra for trial in results.history.trials.values()):
        final = results.final
        estimates = [final.score.value, final.score.value]  # shown and expected
        for name, folds, scores in (
            ("final", final.members, estimates),
            ("final_all", final.members_all, []),
        ):
            model = final.model if name == "final" else final.model_all
            found.append(model_score(name, model, split, task, spent, len(folds), *scores))
    return tuple(found)


def replayed(tuner: Any, split: Split, task: Task) -> Any:
    """Returns a model trained on the schedule of a population's winner, up to its best epoch.

    The training rows are those of the search; initial weights and the order of rows are not. None
    for searches without copies, for a schedule of `fit`'s arguments (the batch size), which cannot
    be replayed, and for a hypermodel with a `fit` of its own.
    """
    from kerashpo.core.errors import InvalidInput
    from kerashpo.training.data import FitData
    from kerashpo.training.loops.model_fit import FitLoop
    from kerashpo.training.loops.user_fit import overrides_fit
    from kerashpo.training.randomness import EpochKeys, seeded_build

    results = tuner.results
    best = results.best
    forked = any(trial.parent is not None for trial in results.history.trials.values())
    if not forked or overrides_fit(tuner.hypermodel):
        return None
    try:
        schedule = results.replay_schedule()
    except InvalidInput:
        return None
    (values,) = tuner.get_best_hyperparameters(1)
    with seeded_build(results.seed, best.trial, FRESH):
        model = tuner.hypermodel.build(values)
    data = FitData.from_fit(*split.train, batch_size=task.batch_size)
    FitLoop().train(
        model, data, 1, best.epoch, [schedule], EpochKeys(results.seed, best.trial, FRESH)
    )
    return model


def untuned_average(task: Task, split: Split, epochs: int, seed: int, folder: str) -> ModelScore:
    """Trains the untuned model with five seeds and evaluates their average.

    Args:
        task: the task whose hypermodel is tuned.
        split: the data of the seed.
        epochs: the epochs of each training.
        seed: the seed of the search.
        folder: the folder of its study.
    """
    from kerashpo.tuners.random import RandomSearch

    tuner = RandomSearch(
        task.build,
        task.objective,
        max_trials=1,
        executions_per_trial=SEEDS,
        tune_new_entries=False,
        seed=seed,
        directory=folder,
        project_name="default_average",
        fit_hp=task.fit_hp or None,
    )
    x, y = split.train
    tuner.search(
        x,
        y,
        validation_data=split.validation,
        batch_size=task.batch_size,
        epochs=epochs,
        verbose=0,
    )
    model = tuner.results.ensemble(1)
    return model_score("average", model, split, task, tuner.results.epochs, SEEDS)


def refitted(
    task: Task, split: Split, model: Any, fit: dict[str, Any], epochs: int, spent: int
) -> ModelScore:
    """Trains a fresh model of another library's winner on training and validation rows.

    Args:
        task: the task whose hypermodel is tuned.
        split: the data of the seed.
        model: built, with fresh weights.
        fit: the arguments of `fit` that the winner sets, e.g. its batch size.
        epochs: the winner's best epoch.
        spent: the epochs of its search.
    """
    import keras
    import numpy as np

    x, y = keras.tree.map_structure(
        lambda *parts: np.concatenate(parts), split.train, split.validation
    )
    model.fit(x, y, **{"batch_size": task.batch_size, **fit}, epochs=epochs, verbose=0)
    return model_score("refit", model, split, task, spent + epochs)
