"""A search in a notebook's kernel, interrupted as its stop button does, and run again."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import pytest
from jupyter_client import KernelManager

import kerashpo as kt
from kerashpo.core.errors import StudyNotFound
from kerashpo.study.study import open_study

ROOT = Path(__file__).parents[2]
TRIALS = 40
# As users write it: the function is defined in the notebook, and workers call it.
CELL = f"""
import time
import kerashpo as kt

def fn(config):
    time.sleep(0.05)
    return (config["x"] - 0.3) ** 2

found = kt.optimize(fn, {{"x": kt.space.uniform(0.0, 1.0)}}, algorithm="random", seed=0,
                    max_trials={TRIALS}, directory="study", workers=WORKERS)
print("stopped:", found.stopped)
"""


@pytest.fixture
def kernel(tmp_path):
    """A kernel in an empty folder, and its client."""
    manager = KernelManager()
    manager.start_kernel(cwd=str(tmp_path), env=os.environ | {"PYTHONPATH": str(ROOT)})
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=120)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(client, code, meanwhile=lambda: None):
    """Runs a cell to its end; returns what it printed, and its error if there is one."""
    sent, out = client.execute(code), []
    meanwhile()
    while True:
        message = client.get_iopub_msg(timeout=120)
        if message["parent_header"].get("msg_id") != sent:
            continue
        content = message["content"]
        match message["msg_type"]:
            case "stream":
                out.append(content["text"])
            case "error":
                out.append("\n".join(content["traceback"]))
            case "status" if content["execution_state"] == "idle":
                return "".join(out)


def trials(folder):
    with contextlib.suppress(StudyNotFound):
        return open_study(folder).results.epochs
    return 0


@pytest.mark.parametrize("workers", [1, 2])
def test_the_kernels_interrupt_saves_and_the_same_cell_continues(workers, kernel, tmp_path):
    manager, client = kernel
    cell = CELL.replace("WORKERS", str(workers))

    def interrupt():
        deadline = time.monotonic() + 120
        while trials(tmp_path / "study") < 4:
            assert time.monotonic() < deadline, "it did not begin"
            time.sleep(0.02)
        manager.interrupt_kernel()

    assert run(client, cell, interrupt) == "stopped: interrupted\n"
    assert 4 <= trials(tmp_path / "study") < TRIALS
    assert not open_study(tmp_path / "study").history.running
    assert run(client, cell) == "stopped: max_trials reached\n"
    whole = kt.optimize(
        lambda config: (config["x"] - 0.3) ** 2,
        {"x": kt.space.uniform(0.0, 1.0)},
        algorithm="random",
        max_trials=TRIALS,
        seed=0,
    ).history.trials
    after = open_study(tmp_path / "study").history.trials
    assert {n: (t.config, t.score) for n, t in after.items()} == {
        n: (t.config, t.score) for n, t in whole.items()
    }
