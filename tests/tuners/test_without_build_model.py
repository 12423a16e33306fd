"""A study's results read by a tuner that has no build_model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, InvalidSpace, StudyMismatch
from tests.helpers.small_models import DATA, build_few, make, place


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    kt.RandomSearch(build_few, max_trials=2, **place(folder)).search(**DATA)
    return folder


DUMMIES = {
    "None": None,
    "returns None": lambda hp: None,
    "not compiled": lambda hp: keras.Sequential([keras.Input((4,))]),
    "no parameters": lambda hp: make(),
}


@pytest.mark.parametrize("dummy", DUMMIES.values(), ids=DUMMIES)
def test_everything_but_models_works(dummy, finished, capsys):
    tuner = kt.RandomSearch(dummy, max_trials=2, **place(finished))
    tuner.reload()
    assert [trial.score is not None for trial in tuner.oracle.trials.values()] == [True, True]
    (best,) = tuner.get_best_hyperparameters()
    assert best.values == tuner.results.best.config and {*tuner.space.names} == {"units", "rate"}
    tuner.results_summary()
    tuner.search_space_summary()
    assert "units" in capsys.readouterr().out
    assert len(tuner.results.curves()) == 8 and tuner.plan().trials == 2
    for build in (tuner.get_best_models, lambda: tuner.hypermodel.build(best)):
        with pytest.raises(InvalidInput, match="without the build_model that it was searched with"):
            build()


@pytest.mark.parametrize("dummy", DUMMIES.values(), ids=DUMMIES)
def test_a_search_ends_at_once_if_nothing_is_left_and_is_refused_before_it_trains(dummy, finished):
    kt.RandomSearch(dummy, max_trials=2, **place(finished)).search(**DATA)
    more = kt.RandomSearch(dummy, max_trials=3, **place(finished))
    with pytest.raises(InvalidInput, match="without the build_model.*no trial trained"):
        more.search(**DATA)
    assert len(kt.open_study(finished / "study").results) == 2


def test_another_search_is_refused_all_the_same(finished):
    with pytest.raises(StudyMismatch, match="objective: was val_loss"):
        kt.RandomSearch(None, max_trials=2, **place(finished, objective="val_accuracy"))


def test_without_a_study_a_build_model_must_build(finished, tmp_path):
    with pytest.raises(InvalidInput, match="must be a function build_model"):
        kt.RandomSearch(None, max_trials=2, **place(tmp_path))
    with pytest.raises(InvalidInput, match="returned None"):
        kt.RandomSearch(lambda hp: None, overwrite=True, **place(finished / "copy"))


def test_errors_of_a_build_model_are_its_own(finished):
    def contradictory(hp: Any) -> keras.Model:
        hp.Int("a", 5, 1)
        return make()

    with pytest.raises(InvalidSpace):
        kt.RandomSearch(contradictory, **place(finished))

    def broken(hp: Any) -> keras.Model:
        raise ZeroDivisionError("in build_model")

    with pytest.raises(ZeroDivisionError, match="in build_model"):
        kt.RandomSearch(broken, **place(finished))
