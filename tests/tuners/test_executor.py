"""A search in worker processes: a killed worker, Ctrl-C, and the same results at the end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import keras
import psutil
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, StudyNotFound
from kerashpo.schedulers.asha import ASHA
from kerashpo.schedulers.full_training import Full
from kerashpo.study.study import open_study
from kerashpo.tuners.executor import repeatability_notes
from kerashpo.tuners.tuner_options import TunerOptions
from tests.helpers.small_models import DATA, Together, build, outcomes, place

ROOT = Path(__file__).parents[2]
# As users write it: no `if __name__ == "__main__"`, the model defined in the script.
SCRIPT = """
import sys
from pathlib import Path
import keras
import kerashpo as kt
from tests.helpers.small_models import DATA, Together, make, place

def build_here(hp):
    return make(hp.Int("units", 4, 24, step=4), hp.Float("rate", 1e-3, 1e-1, sampling="log"))

tuner = kt.Hyperband(build_here, max_epochs=9, factor=3, **place(sys.argv[1], workers=2))
together = Together(Path(sys.argv[1]), 2)
tuner.search(**DATA | {"verbose": 1, "batch_size": 1, "callbacks": [together]})
print("stopped:", tuner.results.stopped, flush=True)
"""


def launch(folder: Path) -> subprocess.Popen[str]:
    script = folder / "search.py"
    script.write_text(SCRIPT)
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "tuners")])
    return subprocess.Popen(
        [sys.executable, str(script), str(folder)],
        env=os.environ | {"PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def epochs(folder: Path) -> int:
    with contextlib.suppress(StudyNotFound):
        return open_study(folder / "study").results.epochs
    return 0


def wait_for(condition, process, seconds=120.0):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline or process.poll() is not None:
            raise AssertionError(f"it did not happen: {process.communicate(timeout=10)[0]}")
        time.sleep(0.2)


def workers(process):
    return psutil.Process(process.pid).children()


def gone(processes):
    return all(not one.is_running() or one.status() == "zombie" for one in processes)


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Kills a worker, interrupts the search, and ends it in this process."""
    folder = tmp_path_factory.mktemp("workers")
    facts = {"folder": folder}
    with launch(folder) as first:
        wait_for(lambda: epochs(folder) >= 4, first)
        facts["lanes"] = len(workers(first))
        victim = workers(first)[0]
        victim.kill()
        wait_for(lambda: _lost(folder), first)
        left = workers(first)
        first.send_signal(signal.SIGINT)
        facts["first"], _ = first.communicate(timeout=120)
        facts["left"] = [one for one in left if not gone([one])]
    facts["cut"] = open_study(folder / "study").history
    tuner = kt.Hyperband(build, max_epochs=9, factor=3, **place(folder))
    facts["acknowledged"] = outcomes(tuner.results)
    tuner.search(**DATA | {"batch_size": 1, "callbacks": [Together(folder, 2)]})
    facts["results"] = tuner.results
    return facts


def _lost(folder):
    trials = open_study(folder / "study").history.trials.values()
    return any(trial.facts.get("workers_lost") for trial in trials)


def test_two_workers_train_from_a_script_without_a_guard(searched):
    assert searched["lanes"] == 2


def test_ctrl_c_saves_and_says_how_to_continue(searched):
    assert "stopped: interrupted" in searched["first"]
    assert "run the same search again to resume" in searched["first"]
    assert searched["left"] == []
    assert not searched["cut"].running


def test_no_epoch_is_lost_and_the_results_are_those_of_an_undisturbed_search(searched):
    whole = kt.Hyperband(build, max_epochs=9, factor=3, **place(searched["folder"], "whole"))
    whole.search(**DATA | {"batch_size": 1})
    after = outcomes(searched["results"])
    assert after == outcomes(whole.results)
    for number, (_, _, reports) in searched["acknowledged"].items():
        assert reports.items() <= after[number][2].items()
    assert searched["results"].stopped == "finished"


def test_what_workers_print_is_in_the_studys_folder(searched):
    assert (searched["folder"] / "study" / "logs" / "worker-1.log").exists()


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("model", "build_model cannot be sent there: TypeError.*generator"),
        ("callbacks", "callbacks cannot be sent there: TypeError.*generator"),
        ("data", "the training data cannot be sent there"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is_trained(what, message, tmp_path):
    stream = (i for i in range(3))

    def held(hp):
        return build(hp) if stream is not None else None

    import tensorflow as tf

    given = {
        "model": {},
        "callbacks": {"callbacks": [lambda: [keras.callbacks.Callback(), stream][:1]]},
    }
    data = dict(DATA)
    if what == "data":
        batches = tf.data.Dataset.from_tensor_slices((DATA["x"], DATA["y"])).batch(16)
        data = {"x": batches, "validation_data": batches, "verbose": 0}
    tuner = kt.RandomSearch(
        held if what == "model" else build, max_trials=1, **place(tmp_path, workers=2)
    )
    with pytest.raises(InvalidInput, match=f"(?s){message}.*workers=1"):
        tuner.search(**data | given.get(what, {}))
    assert tuner.results.epochs == 0


@pytest.mark.slow
def test_any_number_of_workers_gives_the_same_results(tmp_path):
    found = []
    # One of them by its factory, which a tuner takes as well as a number.
    for count in ({"executor": kt.executors.Processes(workers=1)}, {"workers": 2}):
        name = f"with {next(iter(count))}"
        settings = place(tmp_path, name, deterministic=True, **count)
        tuner = kt.Hyperband(build, max_epochs=3, factor=3, **settings)
        tuner.search(**DATA)
        assert (tmp_path / name / "logs" / "worker-0.log").exists()
        found.append(outcomes(tuner.results))
    assert found[0] == found[1] and len(found[0]) == 5


def test_auto_stays_in_this_process_for_a_short_search(tmp_path, capsys):
    tuner = kt.RandomSearch(build, max_trials=2, **place(tmp_path, workers="auto"))
    tuner.search(**DATA | {"verbose": 2}, epochs=1)
    out = capsys.readouterr().out
    assert 'workers="auto"' in out and "process" in out
    assert not (tmp_path / "study" / "logs").exists()
    assert tuner.results.epochs == 2


def test_what_deterministic_cannot_promise_is_said():
    scheduler = Full(1)
    notes = partial(repeatability_notes, TunerOptions(deterministic=True), 2)
    (note,) = notes(scheduler, "bayesian")
    assert "bayesian under this scheduler follows who reports first" in note
    assert notes(scheduler, "random") == ()
    assert notes(ASHA(9), "random") != ()
    assert repeatability_notes(TunerOptions(deterministic=True), 1, ASHA(9), "bayesian") == ()


def test_a_strategy_and_workers_are_refused_together(tmp_path):
    import tensorflow as tf

    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    settings = place(tmp_path, workers=2, distribution_strategy=strategy)
    with pytest.raises(InvalidInput, match="distribution_strategy.*workers.*Leave out one"):
        kt.RandomSearch(build, max_trials=1, **settings).search(**DATA)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"executor": "rey"}, "serial, processes, auto, ray, dial, simulated.*Did you mean 'ray'"),
        ({"workers": "rey"}, "serial, processes, auto, ray, dial, simulated.*Did you mean 'ray'"),
        ({"executor": "serial", "trial_timeout": 60}, "need trials in worker processes"),
        ({"executor": 3}, "executor must be one of the names"),
    ],
)
def test_an_executor_that_is_invalid_is_refused_before_the_model_is_built(
    settings, message, tmp_path
):
    def never(hp):
        raise AssertionError("built")

    with pytest.raises(InvalidInput, match=message):
        kt.RandomSearch(never, max_trials=1, **place(tmp_path, **settings))
