"""Ranges that depend on other values, read in `run_trial` or in `HyperModel.fit`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import keras_tuner
import pytest

import kerashpo as kt
from tests.helpers.small_models import DATA, make

ALL = {(1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3)}


def read(hp: Any) -> dict[str, float]:
    a = hp.Int("a", 1, 3)
    b = hp.Int("b", 1, a)
    return {"val_loss": float(10 * a + b)}


class RandomRuns(kt.RandomSearch):
    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
        return read(trial.hyperparameters)


class GridRuns(kt.GridSearch):
    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
        return read(trial.hyperparameters)


class OwnFit(keras_tuner.HyperModel):
    def build(self, hp: Any) -> keras.Model:
        return make(4)

    def fit(self, hp: Any, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        return read(hp)


MIN = kt.Objective("val_loss", "min")


def make_tuner(kind: str, folder: Path, trials: int | None, seed: int, name: str = "s") -> Any:
    options: Any = {"seed": seed, "directory": folder, "project_name": name}
    options |= {"objective": MIN, "max_trials": trials}
    match kind:
        case "random run_trial":
            return RandomRuns(**options)
        case "grid run_trial":
            return GridRuns(**options)
        case "random fit":
            return kt.RandomSearch(OwnFit(), **options)
        case _:
            return kt.GridSearch(OwnFit(), **options)


def trained(tuner: Any) -> list[tuple[int, int]]:
    trials = tuner.results.history.trials.values()
    return [(trial.config["a"], trial.config["b"]) for trial in trials]


KINDS = ["random run_trial", "grid run_trial", "random fit", "grid fit"]


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_every_configuration_is_trained_once(kind: str, seed: int, tmp_path: Path):
    tuner = make_tuner(kind, tmp_path, 30, seed)
    tuner.search(**DATA)
    found = trained(tuner)
    assert len(found) == 6 and set(found) == ALL
    assert "exhausted" in tuner.results.stopped or "space" in tuner.results.stopped


@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_search_knows_what_was_trained(kind: str, tmp_path: Path):
    for trials in (1, 2, 4, 30):
        make_tuner(kind, tmp_path, trials, 0).search(**DATA)
    parts = make_tuner(kind, tmp_path, 30, 0)
    whole = make_tuner(kind, tmp_path, 30, 0, "whole")
    whole.search(**DATA)
    assert trained(parts) == trained(whole)
    assert parts.results.space == whole.results.space


def test_hyperband_trains_on_what_it_promotes(tmp_path: Path):
    class Fit(OwnFit):
        def fit(self, hp: Any, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
            return [value["val_loss"] for value in [read(hp)] * kwargs["epochs"]][-1]

    tuner = kt.Hyperband(
        Fit(), MIN, max_epochs=4, factor=2, seed=0, directory=tmp_path, hyperband_iterations=1
    )
    tuner.search(**DATA)
    assert tuner.results.history.failed == 0
    found = trained(tuner)
    assert len(found) == len(set(found)) and set(found) <= ALL


def test_a_range_without_dependence_changes_nothing(tmp_path: Path):
    class Plain(kt.RandomSearch):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
            hp = trial.hyperparameters
            return {"val_loss": hp.Float("x", 0.0, 1.0) + hp.Int("n", 1, 3)}

    tuner = Plain(objective=MIN, max_trials=6, seed=0, directory=tmp_path)
    tuner.search(verbose=0)
    history = tuner.results.history
    assert len(history.trials) == 6 and [p["name"] for p in history.space["params"]] == ["x", "n"]
