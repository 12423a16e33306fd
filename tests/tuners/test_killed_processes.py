"""Real processes, killed and interrupted in the middle of a search."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import kerashpo as kt
from kerashpo import space
from kerashpo.core.errors import StudyBusy
from kerashpo.core.records import Status
from kerashpo.store.journal import JournalStore as Store
from kerashpo.store.open import LOG_NAME

TRIALS = 40

SCRIPT = textwrap.dedent(
    """
    import pathlib, sys, time
    import kerashpo as kt
    from kerashpo import space

    folder, done = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])

    def fn(config):
        time.sleep(0.02)
        with done.open("a") as file:
            file.write(f"{config['n']}\\n")
        return config["n"]

    results = kt.optimize(fn, {"n": space.integer(1, 1000)}, algorithm="random",
                          max_trials=40, seed=0, directory=folder / "study", verbose=0)
    print(results.stopped)
    """
)


class Process:
    """A search in a process of its own."""

    def __init__(self, folder):
        self.folder, self.calls = folder, folder / "calls"
        self._process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(folder), str(self.calls)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self):
        return self._process.pid

    def called(self):
        return len(self.calls.read_text().split()) if self.calls.exists() else 0

    def wait_for(self, calls):
        deadline = time.monotonic() + 60
        while self.called() < calls:
            assert self._process.poll() is None, self._process.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def send(self, number):
        self._process.send_signal(number)
        return self.end()

    def end(self):
        out, err = self._process.communicate(timeout=60)
        return self._process.returncode, out.strip(), err


def resume(folder):
    return kt.optimize(
        lambda config: config["n"],
        {"n": space.integer(1, 1000)},
        algorithm="random",
        max_trials=TRIALS,
        seed=0,
        directory=folder / "study",
    )


@pytest.fixture(scope="module")
def whole():
    """The configurations of a search that nobody interrupts."""
    results = kt.optimize(
        lambda config: config["n"],
        {"n": space.integer(1, 1000)},
        algorithm="random",
        max_trials=TRIALS,
        seed=0,
    )
    return [trial.config for trial in results.history.trials.values()]


def test_a_killed_search_loses_no_acknowledged_trial(tmp_path, whole):
    process = Process(tmp_path)
    process.wait_for(5)
    code, _, _ = process.send(signal.SIGKILL)
    assert code == -signal.SIGKILL
    killed = kt.open_study(tmp_path / "study").history
    # At most the trial that was running is not in the log.
    assert 4 <= process.called() - 1 <= killed.epochs <= process.called()
    resumed = resume(tmp_path)
    assert [trial.config for trial in resumed.history.trials.values()] == whole
    assert all(t.status is Status.COMPLETED for t in resumed.history.trials.values())
    assert all(
        resumed.history.trials[trial.number].reports == trial.reports
        for trial in killed.trials.values()
        if trial.epochs
    )


def test_a_killed_search_is_resumed_in_another_process(tmp_path, whole):
    for calls in (3, 8):
        process = Process(tmp_path)
        process.wait_for(calls)
        process.send(signal.SIGKILL)
    code, out, err = Process(tmp_path).end()
    assert (code, out) == (0, "max_trials reached"), err
    done = kt.open_study(tmp_path / "study").history
    assert [trial.config for trial in done.trials.values()] == whole


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_search_saves_and_resumes(tmp_path, whole, number):
    process = Process(tmp_path)
    process.wait_for(3)
    code, out, err = process.send(number)
    assert (code, out) == (0, "interrupted"), err
    history = kt.open_study(tmp_path / "study").history
    assert (history.stopped, history.finished) == ("interrupted", False)
    assert not history.running
    # The function that was running when the signal came was finished.
    assert history.epochs == process.called() < TRIALS
    assert [t.config for t in resume(tmp_path).history.trials.values()] == whole


def test_two_searches_in_one_folder_are_distinguished(tmp_path):
    process = Process(tmp_path)
    process.wait_for(1)
    with pytest.raises(StudyBusy, match=rf"searched by another process \({process.pid} on "):
        resume(tmp_path)
    process.send(signal.SIGKILL)
    assert len(resume(tmp_path)) == TRIALS


def test_a_tuner_killed_before_its_first_event_starts_again(tmp_path):
    """A kill between the creation of the log and its first event leaves an empty log."""
    Store(tmp_path / "runs" / "study" / LOG_NAME).close()

    def build(hp):
        import keras

        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(hp.Int("units", 1, 3))])
        model.compile("sgd", "mse")
        return model

    tuner = kt.RandomSearch(
        build, objective="loss", max_trials=1, directory=tmp_path / "runs", project_name="study"
    )
    tuner.search(np.zeros((4, 2)), np.zeros(4), verbose=0)
    assert len(tuner.results) == 1
