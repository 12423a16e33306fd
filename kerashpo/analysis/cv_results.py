"""`cv_results_`: the trials as columns with scikit-learn's names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kerashpo.core.history import History
from kerashpo.core.records import Status
from kerashpo.core.trial import Trial
from kerashpo.space.space import Space


def cv_results(history: History, space: Space) -> dict[str, Any]:
    """Returns a column for each name of scikit-learn's, a row for each trial.

    Source of the names: ``GridSearchCV.cv_results_`` and ``HalvingSearchCV.cv_results_`` of
    scikit-learn. A split is a run (an execution, a fold); scores keep the objective's own
    direction, and rank 1 is the best in that direction. Failed trials score NaN and rank last.

    - ``params``: list of dicts; ``param_<name>``: masked arrays, masked where inactive
    - ``split<i>_test_score``, ``mean_test_score``, ``std_test_score``, ``rank_test_score``
    - ``mean_fit_time``, ``std_fit_time``: seconds over the runs
    - ``iter``: how often the trial was promoted; ``n_resources``: the epochs of a run
    """
    trials = list(history.trials.values())
    params = [space.realise(trial.config) for trial in trials]
    runs = max((max(trial.reports, default=0) + 1 for trial in trials), default=1)
    splits = np.array([[_score(t, run) for run in range(runs)] for t in trials]).reshape(-1, runs)
    seconds = np.array([[_time(t, run) for run in range(runs)] for t in trials]).reshape(-1, runs)
    mean = np.array([_mean_score(trial) for trial in trials])
    columns: dict[str, Any] = {"mean_fit_time": _mean(seconds), "std_fit_time": _std(seconds)}
    columns |= {f"param_{name}": _masked(name, params) for name in space.names}
    columns["params"] = params
    columns |= {f"split{run}_test_score": splits[:, run] for run in range(runs)}
    columns |= {"mean_test_score": mean, "std_test_score": _std(splits)}
    columns["rank_test_score"] = _ranks(history, mean)
    columns["iter"] = np.array([max(len(trial.targets) - 1, 0) for trial in trials], dtype=int)
    columns["n_resources"] = np.array([trial.epoch for trial in trials], dtype=int)
    return columns


def _mean_score(trial: Trial) -> float:
    return math.nan if trial.status is Status.FAILED or trial.score is None else trial.score


def _score(trial: Trial, run: int) -> float:
    best = trial.run_bests.get(run)
    if best is None or not best.finite or trial.status is Status.FAILED:
        return math.nan
    return best.cost if trial.objective.direction == "min" else -best.cost


def _time(trial: Trial, run: int) -> float:
    reports = trial.reports.get(run)
    return reports[max(reports)].seconds if reports else math.nan


def _masked(name: str, params: list[dict[str, Any]]) -> np.ma.MaskedArray[Any, Any]:
    column = np.empty(len(params), dtype=object)
    for index, values in enumerate(params):
        # One cell at a time: a list or a tuple is one value here.
        column[index] = values.get(name)
    return np.ma.MaskedArray(column, mask=[name not in values for values in params])


def _ranks(history: History, scores: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Returns ranks from 1, the best first, ties sharing the lower one."""
    costs = np.array([history.objective.cost(score) for score in scores])
    ordered = np.sort(costs)
    return (np.searchsorted(ordered, costs, side="left") + 1).astype(np.int32)


def _mean(table: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return _over_known(table)[0]


def _std(table: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return _over_known(table)[1]


def _over_known(table: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Returns mean and standard deviation (n,) of each row's numbers, NaN where it has none."""
    known = ~np.isnan(table)
    count = np.where(known.any(axis=1), known.sum(axis=1), np.nan)
    mean = np.where(known, table, 0.0).sum(axis=1) / count
    square = np.where(known, table - mean[:, None], 0.0) ** 2
    return mean, np.sqrt(square.sum(axis=1) / count)
