"""Searches that train trials of one shape as one program, on JAX."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import keras
import pytest

import kerashpo as kt
from kerashpo.training.loops.compiled.programs import FOLDER
from tests.helpers.small_models import DATA, place

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="populations are trained as one program on JAX"
)
POPULATION = {"population": 3, "interval": 2, "max_epochs": 6}


def build(hp: Any) -> keras.Model:
    dropout = keras.layers.Dropout(hp.Float("dropout", 0.0, 0.5))
    layers = [keras.Input((4,)), keras.layers.Dense(8, "relu"), dropout]
    model = keras.Sequential([*layers, keras.layers.Dense(1, "sigmoid")])
    rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


def pbt(folder: Path, **options: Any) -> kt.PBT:
    tuner = kt.PBT(build, **place(folder, **POPULATION, together=True) | options)
    tuner.search(**DATA)
    return tuner


def outcomes(tuner: Any) -> dict[int, Any]:
    trials = tuner._history.trials.values()
    curves = {t.number: {e: dict(r.metrics) for e, r in t.reports[0].items()} for t in trials}
    return {t.number: (t.config, t.origin, t.status, curves[t.number]) for t in trials}


def ways(tuner: Any) -> set[str]:
    return {trial.facts["training"] for trial in tuner._history.trials.values()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> kt.PBT:
    return pbt(tmp_path_factory.mktemp("whole"))


def test_a_population_is_trained_as_one_program(whole):
    assert ways(whole) == {"population"} and not whole._history.failed
    assert whole._history.epochs == 18
    x, y = DATA["validation_data"]
    (model,) = whole.get_best_models(1)
    loss = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
    assert loss == pytest.approx(whole.results.best.score, rel=1e-5)


def test_one_by_one_it_takes_the_same_decisions(whole, tmp_path):
    alone = pbt(tmp_path, together=False)
    assert ways(alone) == {"compiled"}
    mine, others = outcomes(whole), outcomes(alone)
    assert [o[:3] for o in mine.values()] == [o[:3] for o in others.values()]
    for number, (*_, curve) in mine.items():
        for epoch, metrics in curve.items():
            for name, value in others[number][3][epoch].items():
                assert metrics[name] == pytest.approx(value, rel=1e-4, abs=1e-6)


def test_a_population_of_one_is_trained_alone(tmp_path):
    assert ways(pbt(tmp_path, population=1, max_epochs=2)) == {"compiled"}


def test_a_search_that_was_cut_continues_exactly(whole, tmp_path):
    for epochs in (4, 11, None):
        cut = pbt(tmp_path, max_epochs_total=epochs)
    assert outcomes(cut) == outcomes(whole)


def test_a_killed_search_continues_exactly(whole, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\n"
        "from tests.backends.test_population_search import pbt\n"
        "pbt(Path(sys.argv[1]))\n"
    )
    command = [sys.executable, str(script), str(tmp_path / "study")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "KERAS_BACKEND": "jax"}
    log = tmp_path / "study" / "study" / "study.jsonl"
    for lines in (9, 22):
        child = subprocess.Popen(command, env=environment)
        try:
            deadline = time.monotonic() + 300
            while child.poll() is None and not _has(log, lines):
                assert time.monotonic() < deadline
                time.sleep(0.002)
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
    assert outcomes(pbt(tmp_path / "study")) == outcomes(whole)


def _has(log: Path, lines: int) -> bool:
    return log.exists() and log.read_bytes().count(b"\n") >= lines


@pytest.mark.own_traces
def test_programs_are_kept_for_later_searches(whole, tmp_path):
    for name in ("first", "second"):
        assert outcomes(pbt(tmp_path, project_name=name)) == outcomes(whole)
        programs = {path: path.stat() for path in (tmp_path / FOLDER).iterdir()}
        assert len(programs) == 2  # of training and of validation
        if name == "first":
            damaged, kept = programs
            damaged.write_bytes(b"cut short")
            before = programs[kept].st_mtime_ns
    assert programs[damaged].st_size > 10_000  # it was compiled again
    assert programs[kept].st_mtime_ns == before


def test_random_search_hands_out_as_many_as_asked_for(tmp_path):
    tuner = kt.RandomSearch(build, max_trials=5, population=4, **place(tmp_path))
    tuner.search(**DATA, epochs=2)
    assert ways(tuner) == {"population"}
    started = [t.started for t in tuner._history.trials.values()]
    first_end = min(t.ended for t in tuner._history.trials.values())
    assert sum(start < first_end for start in started) == 4


@pytest.mark.parametrize(
    "tuner, options, epochs, note",
    [
        (kt.RandomSearch, {"max_trials": 200}, 10, "8 trials of one shape are trained as one"),
        (kt.RandomSearch, {"max_trials": 2}, 1, "one by one, as it pays from about"),
        (kt.BayesianOptimization, {"max_trials": 200}, 10, "is to know the scores before it"),
    ],
)
def test_auto_says_what_it_does(tmp_path, capsys, tuner, options, epochs, note):
    options = {**options, "max_epochs_total": 2}
    made = tuner(build, population="auto", **place(tmp_path, **options))
    made.search(**{**DATA, "verbose": 1}, epochs=epochs)
    assert note in " ".join(capsys.readouterr().out.split())
