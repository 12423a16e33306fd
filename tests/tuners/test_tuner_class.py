"""`kt.Tuner` as the base class of all tuners: mixed in, described, with typed arguments."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import Status
from kerashpo.tuners.strategy import Strategy
from kerashpo.tuners.tuner_options import IGNORED, TunerArguments, TunerOptions
from tests.helpers.small_models import DATA, LABELS, ROWS, build_few, make, outcomes, place

TUNERS = [kt.ASHA, kt.BayesianOptimization, kt.GridSearch, kt.Hyperband, kt.RandomSearch]


@pytest.mark.parametrize("cls", [*TUNERS, kt.SklearnTuner])
def test_every_tuner_is_a_tuner(cls):
    assert issubclass(cls, kt.Tuner)


class Noted(kt.Tuner):
    """Takes an argument of its own, and trains in its own way."""

    def __init__(self, *args: Any, note: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.note = note

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
        return float((trial.hyperparameters.Int("n", 0, 5) - 3) ** 2)


class NotedGrid(Noted, kt.GridSearch):
    """Its own constructor runs first."""


class GridNoted(kt.GridSearch, Noted):
    """KerasTuner's constructor runs first, and calls the other with an oracle's place filled."""


@pytest.mark.parametrize("cls", [NotedGrid, GridNoted])
def test_a_subclass_is_mixed_into_a_concrete_tuner_in_either_order(cls, tmp_path):
    tuner = cls(note="hello", max_trials=6, directory=tmp_path)
    tuner.search(verbose=0)
    assert tuner.note == "hello" and isinstance(tuner, kt.Tuner)
    assert tuner.get_best_hyperparameters()[0].values == {"n": 3}
    assert tuner.oracle.get_best_trials()[0].score == 0.0


def test_a_subclass_that_is_given_an_oracle_by_name(tmp_path):
    class Renamed(kt.Tuner):
        def __init__(self, oracle: Any, hypermodel: Any, tuner_id: Any = None, **more: Any) -> None:
            super().__init__(oracle=oracle, hypermodel=hypermodel, tuner_id=tuner_id, **more)

    class Searching(kt.RandomSearch, Renamed):
        pass

    tuner = Searching(build_few, max_trials=1, **place(tmp_path))
    tuner.search(**DATA)
    assert len(tuner.results) == 1


def test_the_base_class_by_itself_needs_an_oracle(tmp_path):
    with pytest.raises(InvalidInput, match="oracle must be one of.*Received: None"):
        kt.Tuner(hypermodel=build_few, directory=tmp_path)
    tuner = kt.Tuner(Strategy("grid"), build_few, objective="val_loss", directory=tmp_path)
    assert (tuner.algorithm, tuner.plan().trials) == ("grid", 6)


def test_the_arguments_are_typed_once():
    values = {field.name for field in fields(TunerOptions)}
    typed = {*get_type_hints(TunerArguments)}
    assert typed - {*IGNORED} == values - {"objective", "max_trials", "seed"}
    for cls in TUNERS:
        options = inspect.signature(cls).parameters["options"]
        assert options.annotation == "Unpack[TunerArguments]"
    documented = kt.Tuner.__doc__ or ""
    assert [name for name in typed if name not in documented] == []


@pytest.mark.parametrize("given", [{"logger": None}, {"tuner_id": None}])
def test_arguments_without_effect_are_taken(given, tmp_path):
    tuner = kt.RandomSearch(build_few, **place(tmp_path), **given)
    assert tuner.plan() == kt.RandomSearch(build_few, **place(tmp_path)).plan()


def test_arguments_without_effect_say_so(tmp_path):
    with pytest.warns(UserWarning, match="tuner_id='tuner7' has no effect.*workers=N"):
        kt.RandomSearch(build_few, **place(tmp_path), tuner_id="tuner7")


def test_whole_floats_are_whole_numbers(tmp_path):
    given = {"max_trials": 2.0, "executions_per_trial": 1.0, "max_model_size": 320.0, "seed": 3.0}
    tuner = kt.RandomSearch(build_few, **place(tmp_path) | given)
    assert [type(getattr(tuner._options, name)) for name in given] == [int] * 4
    tuner.search(**DATA, epochs=2.0)
    assert (len(tuner.results), tuner.results.epochs, tuner.results.seed) == (2, 4, 3)
    settings = {"max_epochs": 4.0, "factor": 2.0, "hyperband_iterations": 1.0}
    whole = kt.Hyperband(build_few, **settings, **place(tmp_path, "hyperband"))
    assert whole.plan().epochs == kt.Hyperband(build_few, "val_loss", 4, 2).plan().epochs
    asha = kt.ASHA(build_few, max_epochs=4.0, factor=2.0, min_epochs=1.0, **place(tmp_path, "asha"))
    asha.plan()
    points = {"num_initial_points": 3.0, "max_trials": 4.0}
    kt.BayesianOptimization(build_few, **points, **place(tmp_path, "bayesian")).plan()
    with pytest.raises(InvalidInput, match="epochs must be a whole number.*2.5"):
        tuner.search(**DATA, epochs=2.5)


def test_a_tuner_describes_itself(tmp_path):
    tuner = kt.Hyperband(build_few, max_epochs=2, factor=2, **place(tmp_path))
    assert repr(tuner) == (
        "<Hyperband(factor 2) + random: 2 parameters, objective val_loss (min), "
        f"in {str(tmp_path / 'study')!r}, not searched yet>"
    )
    tuner.search(**DATA)
    assert "4 trials (" in repr(tuner) and "best val_loss" in repr(tuner)


def test_median_stopping_has_a_name(tmp_path):
    def build(hp: Any) -> Any:
        return make(4, hp.Choice("rate", [0.1, 0.05, 1e-9, 1e-10, 1e-11]))

    tuner = kt.RandomSearch(
        build,
        max_trials=5,
        scheduler="median",
        scheduler_options={"min_trials": 1},
        **place(tmp_path),
    )
    tuner.enqueue({"rate": 0.1})
    tuner.search(**DATA, epochs=8)
    trials = tuner.results.history.trials.values()
    assert {Status.STOPPED, Status.COMPLETED} == {trial.status for trial in trials}
    assert tuner.results.epochs < 5 * 8
    assert tuner.results.history.settings["scheduler"] == "median"
    again = kt.RandomSearch(
        build,
        max_trials=5,
        scheduler="median",
        scheduler_options={"min_trials": 1},
        **place(tmp_path),
    )
    assert outcomes(again.results) == outcomes(tuner.results)


@pytest.mark.parametrize("cls", [kt.RandomSearch, kt.BayesianOptimization])
def test_other_schedulers_are_refused_with_those_allowed(cls, tmp_path):
    with pytest.raises(InvalidInput, match="Unknown scheduler 'medain'.*'median'.*full, median"):
        cls(build_few, scheduler="medain", **place(tmp_path))
    with pytest.raises(InvalidInput, match="no option 'min_epoch'.*Did you mean 'min_epochs'"):
        cls(build_few, scheduler="median", scheduler_options={"min_epoch": 2}, **place(tmp_path))


def test_median_stopping_is_checked_against_the_epochs(tmp_path):
    options = {"scheduler": "median", "scheduler_options": {"min_epochs": 3}}
    tuner = kt.BayesianOptimization(build_few, max_trials=1, **options, **place(tmp_path))
    assert (tuner.plan().trials, tuner.plan().epochs) == (1, None)
    with pytest.raises(InvalidInput, match="min_epochs must not exceed max_epochs"):
        tuner.search(**DATA, epochs=2)


def test_a_study_stays_where_its_tuner_was_made(tmp_path, monkeypatch):
    home, other = tmp_path / "home", tmp_path / "other"
    for folder in (home, other):
        folder.mkdir()
    monkeypatch.chdir(home)
    tuner = kt.RandomSearch(build_few, "val_loss", 1, seed=0, directory="out", project_name="p")
    monkeypatch.chdir(other)
    tuner.search(**DATA)
    assert not list(other.iterdir()) and (home / "out" / "p").is_dir()
    (model,) = tuner.get_best_models()
    assert model.evaluate(ROWS, LABELS, verbose=0)
    assert Path(tuner.project_dir) == home / "out" / "p"
    assert tuner.directory == "out"
    assert Path(tuner.get_trial_dir("0")).parent == home / "out" / "p"
