"""Population-based training of Keras models: what may change, copies, kills, workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from tests.helpers.small_models import DATA, Slowly, place

POPULATION = {"population": 3, "interval": 1, "max_epochs": 3}


def build(hp: Any) -> keras.Model:
    """Two shapes, and two numbers that may change."""
    units, rate = hp.Int("units", 4, 8, step=4), hp.Float("rate", 1e-3, 1e-1, sampling="log")
    dropout = keras.layers.Dropout(hp.Float("dropout", 0.0, 0.5))
    layers = [keras.Input((4,)), keras.layers.Dense(units), dropout]
    model = keras.Sequential([*layers, keras.layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


def build_all_kinds(hp: Any) -> keras.Model:
    """Shapes, rates, a choice without order, and what exists under a condition."""
    units = hp.Int("units", 4, 12, step=4)
    layers = [keras.Input((4,)), keras.layers.Dense(units, hp.Choice("act", ["relu", "tanh"]))]
    if hp.Boolean("norm"):
        layers.append(keras.layers.BatchNormalization())
    layers.append(keras.layers.Dropout(hp.Float("dropout", 0.0, 0.5)))
    model = keras.Sequential([*layers, keras.layers.Dense(1, "sigmoid")])
    if hp.Choice("optimizer", ["adam", "sgd"]) == "sgd":
        with hp.conditional_scope("optimizer", ["sgd"]):
            momentum = hp.Float("momentum", 0.5, 0.9)
        optimizer = keras.optimizers.SGD(0.1, momentum)
    else:
        optimizer = keras.optimizers.Adam(hp.Float("rate", 1e-3, 1e-1, sampling="log"))
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    return model


def pbt(folder: Path, hypermodel: Any = build, **options: Any) -> kt.PBT:
    return kt.PBT(hypermodel, **place(folder, **POPULATION | options))


def outcomes(tuner: Any) -> dict[int, Any]:
    trials = tuner._history.trials.values()
    curves = {t.number: {e: dict(r.metrics) for e, r in t.reports[0].items()} for t in trials}
    return {t.number: (t.config, t.origin, t.status, curves[t.number]) for t in trials}


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> kt.PBT:
    tuner = pbt(tmp_path_factory.mktemp("pbt"))
    tuner.search(**DATA)
    return tuner


def mutate(tuner: kt.PBT) -> Any:
    return tuner._strategy.schedule.options["mutate"]


def test_numbers_that_change_no_shape_may_change(tmp_path, searched):
    assert mutate(searched) == ["rate", "dropout"]
    assert mutate(pbt(tmp_path, build_all_kinds)) == ["dropout", "rate", "momentum"]


def test_copies_continue_from_their_parents_epoch(searched):
    trials = searched._history.trials
    forks = [t for t in trials.values() if t.parent is not None]
    assert len(forks) == 2 and not searched._history.failed
    for fork in forks:
        parent = trials[fork.parent]
        assert min(fork.reports[0]) == fork.forked_at + 1
        assert fork.config["units"] == parent.config["units"]
        assert fork.config["dropout"] != parent.config["dropout"]
    assert searched.plan().epochs == searched._history.epochs == 9


def test_the_best_model_can_be_had(searched):
    (model,) = searched.get_best_models(1)
    x, y = DATA["validation_data"]
    loss = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
    assert loss == pytest.approx(searched.results.best.score, rel=1e-5)


@pytest.mark.parametrize(
    "names, message",
    [
        (["units"], "mutate names 'units', which cannot change .* models with 4 and 8"),
        (["rate", "norm"], "'norm', which cannot"),
        (["optimizer"], "'optimizer', which cannot"),
        (["ratte"], "'ratte', which is no parameter. Did you mean 'rate'"),
        ("rate", r"a list of names, e.g. \['rate'\]"),
    ],
)
def test_what_changes_shapes_is_refused_by_name_before_training(tmp_path, names, message):
    with pytest.raises(InvalidInput, match=message):
        pbt(tmp_path, build_all_kinds, mutate=names)
    assert not list(tmp_path.iterdir())


def test_a_choice_without_order_may_change_if_it_is_named(tmp_path):
    assert mutate(pbt(tmp_path, build_all_kinds, mutate=["act", "act"])) == ["act"]


def test_momentum_that_may_be_zero_changes_the_optimizers_variables(tmp_path):
    def zero(hp: Any) -> keras.Model:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        optimizer = keras.optimizers.SGD(hp.Float("rate", 1e-3, 1), hp.Float("momentum", 0, 0.9))
        model.compile(optimizer, "mse")
        return model

    assert mutate(pbt(tmp_path, zero)) == ["rate"]
    with pytest.raises(InvalidInput, match="'momentum', which cannot"):
        pbt(tmp_path, zero, mutate=["momentum"])


def test_without_an_input_whole_numbers_of_layers_stay(tmp_path):
    def unbuilt(hp: Any) -> keras.Model:
        layers = [
            keras.layers.Dense(hp.Int("units", 2, 8)),
            keras.layers.Dropout(hp.Float("p", 0, 1)),
        ]
        model = keras.Sequential(layers)
        model.compile(keras.optimizers.SGD(hp.Float("rate", 1e-3, 1)), "mse")
        return model

    assert mutate(pbt(tmp_path, unbuilt)) == ["p", "rate"]


def test_a_space_in_which_nothing_can_change_is_refused(tmp_path):
    def shapes(hp: Any) -> keras.Model:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(hp.Int("units", 1, 8))])
        model.compile("sgd", "mse")
        return model

    with pytest.raises(InvalidInput, match="every parameter decides a shape"):
        pbt(tmp_path, shapes)


def test_a_batch_size_may_change(tmp_path):
    sizes = {"batch_size": kt.space.choice([8, 16, 32], ordered=True)}
    tuner = pbt(tmp_path, fit_hp=sizes, mutate=["batch_size"], resample=0.0)
    tuner.search(**{k: v for k, v in DATA.items() if k != "batch_size"})
    trials = tuner._history.trials
    forks = [t for t in trials.values() if t.parent is not None]
    assert forks and not tuner._history.failed
    assert all(f.config["batch_size"] != trials[f.parent].config["batch_size"] for f in forks)


def test_a_limit_of_trials_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="max_trials has no meaning under 'pbt'"):
        pbt(tmp_path, max_trials=3)


def test_a_final_round_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="replay_schedule"):
        pbt(tmp_path).search(**DATA, final_round=3)


def test_a_run_trial_of_ones_own_is_refused(tmp_path):
    class Own(kt.PBT):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
            return 0.0

    with pytest.raises(InvalidInput, match="run_trial of your own"):
        Own(build, **place(tmp_path, **POPULATION))


SCRIPT = """
import sys
from tests.tuners.test_pbt import pbt
from tests.helpers.small_models import DATA, Slowly
from pathlib import Path
pbt(Path(sys.argv[1]), workers=2).search(**DATA, callbacks=[Slowly()])
"""


@pytest.mark.slow
def test_a_killed_driver_with_two_workers_continues_to_the_same_end(tmp_path, searched):
    """Killed in the second generation, in which a copy is trained; one worker continues."""
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    child = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    log = tmp_path / "study" / "study.jsonl"
    while child.poll() is None and (not log.exists() or '"fork"' not in log.read_text()):
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    tuner = pbt(tmp_path)
    assert 0 < tuner._history.epochs < 9
    tuner.search(**DATA, callbacks=[Slowly()])
    assert outcomes(tuner) == outcomes(searched)


def test_a_finished_search_does_nothing_again(searched):
    again = kt.PBT(build, **place(Path(searched.directory), **POPULATION))
    again.search(**DATA)
    assert outcomes(again) == outcomes(searched)
    assert np.isfinite(again.results.best.score)


def test_the_best_line_refitted_on_the_searchs_data_is_the_winner_again(searched):
    """The schedule, set on a live model, gives what the search's copies gave."""
    best = searched.results.best
    last = searched._history.trials[best.trial]
    model = searched.results.refit_best(
        **{k: v for k, v in DATA.items() if k != "verbose"}, epochs=last.epoch, verbose=0
    )
    x, y = DATA["validation_data"]
    found = model.evaluate(x, y, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(last.reports[0][last.epoch].metrics["val_loss"], 1e-5)
