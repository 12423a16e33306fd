"""Several calls of `super().run_trial` in one trial: each is a run of it."""

from __future__ import annotations

import contextlib
import gc
import weakref
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import KFold

import kerashpo as kt
from kerashpo.core.errors import ConsecutiveFailures
from kerashpo.core.records import Status
from tests.helpers.small_models import LABELS, ROWS, build_few, outcomes, place


class Folds(kt.RandomSearch):
    """Cross-validates by hand, as public scripts do."""

    def run_trial(self, trial: Any, x: Any, y: Any, **kwargs: Any) -> Any:
        found = []
        for train, test in KFold(3).split(x):
            held = (x[test], y[test])
            found += super().run_trial(trial, x[train], y[train], validation_data=held, **kwargs)
        return found


class HalvedFolds(kt.Hyperband):
    """The same under rungs; returns the mean."""

    def run_trial(self, trial: Any, x: Any, y: Any, **kwargs: Any) -> float:
        scores = []
        for train, test in KFold(3).split(x):
            held = (x[test], y[test])
            (history,) = super().run_trial(
                trial, x[train], y[train], validation_data=held, **kwargs
            )
            assert history.epoch == list(range(kwargs["epochs"]))
            scores.append(min(history.history["val_loss"]))
        return float(np.mean(scores))


def test_each_call_is_a_run_and_the_score_their_mean(tmp_path):
    tuner = Folds(build_few, max_trials=3, **place(tmp_path))
    tuner.search(ROWS, LABELS, epochs=2, verbose=0)
    for trial in tuner.results.history.trials.values():
        assert trial.status is Status.COMPLETED
        assert [sorted(run) for run in trial.reports.values()] == [[1, 2]] * 3
        bests = [min(r.metrics["val_loss"] for r in run.values()) for run in trial.reports.values()]
        assert len({*bests}) == 3 and trial.score == pytest.approx(np.mean(bests))
    (model,) = tuner.get_best_models()
    best = tuner.results.history.best
    test = list(KFold(3).split(ROWS))[best.best_run][1]
    found = model.evaluate(ROWS[test], LABELS[test], verbose=0)[0]
    assert found == pytest.approx(best.run_bests[best.best_run].cost, rel=1e-5)


def test_runs_continue_at_the_next_rung(tmp_path):
    tuner = HalvedFolds(build_few, max_epochs=4, factor=2, **place(tmp_path))
    tuner.search(ROWS, LABELS, batch_size=16, verbose=0)
    trials = tuner.results.history.trials.values()
    assert {t.status for t in trials} == {Status.COMPLETED, Status.STOPPED}
    for trial in trials:
        assert [sorted(run) for run in trial.reports.values()] == [
            list(range(1, trial.until + 1))
        ] * 3
        bests = [min(r.metrics["val_loss"] for r in run.values()) for run in trial.reports.values()]
        assert trial.score == pytest.approx(np.mean(bests), rel=1e-5)
    checkpoints = tmp_path / "study" / "checkpoints"
    assert not [path for path in checkpoints.rglob("*") if "checkpoint" in path.name]


def test_a_search_that_was_cut_between_runs_continues_to_the_same_curves(tmp_path):
    def search(name: str, **bounds: Any) -> Any:
        tuner = Folds(build_few, max_trials=2, **bounds, **place(tmp_path, name))
        tuner.search(ROWS, LABELS, epochs=3, batch_size=16, verbose=0)
        return tuner.results

    whole = search("whole")
    cut = search("cut", max_epochs_total=11)
    assert cut.epochs < whole.epochs
    assert outcomes(search("cut")) == outcomes(whole)


def test_every_run_counts_against_the_bound_of_epochs(tmp_path):
    def search(name: str, **bounds: Any) -> Any:
        runs = {"executions_per_trial": 3, "max_trials": 2}
        tuner = kt.RandomSearch(build_few, **runs, **bounds, **place(tmp_path, name))
        tuner.search(ROWS, LABELS, epochs=2, validation_split=0.25, batch_size=16, verbose=0)
        return tuner.results

    cut = search("cut", max_epochs_total=10)
    assert cut.epochs == 9
    assert [trial.epoch for trial in cut.history.trials.values()] == [2, 1]
    assert outcomes(search("cut")) == outcomes(search("whole"))


def test_several_executions_in_several_calls(tmp_path):
    tuner = Folds(build_few, max_trials=1, executions_per_trial=2, **place(tmp_path))
    tuner.search(ROWS, LABELS, epochs=1, verbose=0)
    (trial,) = tuner.results.history.trials.values()
    assert sorted(trial.reports) == list(range(6))


def test_a_run_that_ends_by_itself_ends_its_trial(tmp_path):
    class Different(kt.RandomSearch):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
            first = super().run_trial(trial, *args, **{**kwargs, "epochs": 1})
            return first + super().run_trial(trial, *args, **{**kwargs, "epochs": 2})

    tuner = Different(build_few, max_trials=1, **place(tmp_path))
    tuner.search(ROWS, LABELS, validation_split=0.25, epochs=2, verbose=0)
    (trial,) = tuner.results.history.trials.values()
    assert [len(run) for run in trial.reports.values()] == [1, 2]
    assert trial.status is Status.COMPLETED


@pytest.mark.parametrize("wrong", ["values", "failed"])
def test_invalid_calls_name_cv(wrong, tmp_path):
    class Confused(kt.RandomSearch):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
            if wrong == "failed":
                with contextlib.suppress(Exception):
                    super().run_trial(trial, *args, **{**kwargs, "batch_size": "many"})
            else:
                super().run_trial(trial, *args, **kwargs)
                trial.hyperparameters.Choice("more", [1, 2])
            return super().run_trial(trial, *args, **kwargs)

    tuner = Confused(build_few, max_trials=1, max_consecutive_failed_trials=1, **place(tmp_path))
    with pytest.raises(ConsecutiveFailures, match="called its parent again.*pass cv=5"):
        tuner.search(ROWS, LABELS, validation_split=0.25, verbose=0)


@pytest.mark.own_traces
def test_folds_that_are_split_again_for_each_trial_are_not_kept(tmp_path):
    arrays: list[weakref.ref[np.ndarray]] = []

    class Watched(kt.RandomSearch):
        def run_trial(self, trial: Any, x: Any, y: Any, **kwargs: Any) -> Any:
            found = []
            for train, _ in KFold(3).split(x):
                part = x[train]
                arrays.append(weakref.ref(part))
                found += super().run_trial(trial, part, y[train], validation_data=(x, y), **kwargs)
            return found

    tuner = Watched(build_few, max_trials=6, **place(tmp_path))
    tuner.search(ROWS, LABELS, verbose=0)
    gc.collect()
    assert len(arrays) == 18
    assert sum(one() is not None for one in arrays) <= 4
