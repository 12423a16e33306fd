"""`optimize` with worker processes, from a script as users write it; no Keras is imported."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, StudyNotFound
from kerashpo.study.study import open_study

ROOT = Path(__file__).parents[2]
# As users write it: no `if __name__ == "__main__"`, the function defined in the script.
SCRIPT = """
import sys, time
import kerashpo as kt

def fn(config):
    time.sleep(0.05)
    return (config["x"] - 0.3) ** 2

results = kt.optimize(fn, {"x": kt.space.uniform(0.0, 1.0)}, algorithm="random", max_trials=60,
                      seed=0, directory=sys.argv[1], workers=2)
print("stopped:", results.stopped, flush=True)
"""


def launch(folder: Path) -> subprocess.Popen[str]:
    script = folder.with_suffix(".py")
    script.write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, str(script), str(folder)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def trials(folder: Path) -> int:
    with contextlib.suppress(StudyNotFound):
        return open_study(folder).results.epochs
    return 0


def wait_for(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def undisturbed():
    space = {"x": kt.space.uniform(0.0, 1.0)}
    found = kt.optimize(
        lambda config: (config["x"] - 0.3) ** 2, space, algorithm="random", max_trials=60, seed=0
    )
    return {n: (t.config, t.score) for n, t in found.history.trials.items()}


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        signal.SIGKILL,
    ],
)
def test_an_interrupted_search_leaves_no_process_and_continues(sign, tmp_path):
    folder = tmp_path / "study"
    with launch(folder) as process:
        wait_for(lambda: trials(folder) >= 4)
        children = psutil.Process(process.pid).children()
        assert len(children) == 2
        if sign == signal.SIGTERM:
            for one in children:  # as a batch system does, which asks every process of a job
                one.send_signal(sign)
        process.send_signal(sign)
        out, _ = process.communicate(timeout=60)
    lost = [t for t in open_study(folder).history.trials.values() if "workers_lost" in t.facts]
    assert lost == []
    if sign != signal.SIGKILL:
        assert "stopped: interrupted" in out, out
    wait_for(lambda: not any(one.is_running() and one.status() != "zombie" for one in children), 15)
    assert trials(folder) < 60
    with launch(folder) as process:
        out, _ = process.communicate(timeout=60)
    assert "stopped: max_trials reached" in out, out
    history = open_study(folder).history
    assert history.epochs == 60
    assert {n: (t.config, t.score) for n, t in history.trials.items()} == undisturbed()


def test_a_second_ctrl_c_stops_now(tmp_path):
    folder = tmp_path / "study"
    with launch(folder) as process:
        wait_for(lambda: trials(folder) >= 4)
        children = psutil.Process(process.pid).children()
        for one in children:
            one.suspend()  # so that no trial comes to its end by itself
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=10)
    assert "KeyboardInterrupt" in out
    wait_for(lambda: not any(one.is_running() and one.status() != "zombie" for one in children), 5)


def test_the_number_of_workers_is_checked():
    with pytest.raises(InvalidInput, match="workers must be a whole number of at least 1.*0"):
        kt.optimize(lambda config: 0.0, {"x": kt.space.uniform(0, 1)}, workers=0)


def test_a_function_that_cannot_be_sent_is_named():
    stream = (i for i in range(3))
    with pytest.raises(InvalidInput, match=r"(?s)fn cannot be sent.*generator.*workers=1"):
        kt.optimize(lambda config: next(stream), {"x": kt.space.uniform(0, 1)}, workers=2)
