"""The weights of a final round's finalists: found and recorded once it has ended."""

from __future__ import annotations

import warnings
from typing import Any

from kerashpo.analysis.ensemble_selection import selection_weights
from kerashpo.analysis.fold_scores import WEIGHT, ranked, runs_of
from kerashpo.core.history import History
from kerashpo.study.open import Opened
from kerashpo.training.fold_predictions import FoldPredictions
from kerashpo.training.folds import RunData
from kerashpo.tuners.best_model import StoredModels


def record_weights(opened: Opened, models: StoredModels, data: RunData) -> None:
    """Records the weights with which `results.final.model_all` averages the finalists.

    Does nothing while a final round goes on, for a single finalist, and for weights that are in
    the log already. What goes wrong is a warning: the search itself has ended well.

    Args:
        opened: the study, whose search has ended.
        models: loads stored models.
        data: the data of the search, with those of the folds.
    """
    history = opened.history
    whole = [trial.number for trial in ranked(history)]
    if not history.finished or len(whole) < 2:
        return
    if all(WEIGHT in history.trials[number].facts for number in whole):
        return
    try:
        weights = _weights(history, whole, models, data)
    except Exception as error:  # whatever the user's models, losses and data may raise
        warnings.warn(
            "The finalists could not be weighted by ensemble selection, so that "
            "results.final.model_all averages those whose mean loss is at most 1.2 times the "
            f"lowest with equal weights: {type(error).__name__}: {error}",
            stacklevel=3,
        )
        return
    for number, weight in zip(whole, weights or ()):
        opened.note(number, {WEIGHT: weight})


def _weights(
    history: History, whole: list[int], models: StoredModels, data: RunData
) -> list[float] | None:
    first = history.trials[whole[0]]
    # A reshuffled trial's own run has validation rows that the others were trained on.
    runs = [run for run in runs_of(first) if run >= first.runs or not data.reshuffles]

    def load(place: int, fold: int) -> Any:
        return models.load(whole[place], runs[fold])

    parts = [data.of(run, first.config, first.number) for run in runs]
    return selection_weights(len(whole), FoldPredictions(load, len(whole), parts).loss)
