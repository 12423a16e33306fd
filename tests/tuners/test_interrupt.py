"""Ctrl-C during a real training, in a process of its own; then the same script again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from small import DATA, build, place, told

import kerashpo as kt
from kerashpo.core.errors import StudyNotFound
from kerashpo.study.results import Results
from kerashpo.study.study import open_study

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from test_interrupt import search

print("stopped:", search(sys.argv[1], 1).stopped, flush=True)
"""


def search(folder: Any, verbose: int) -> Results:
    tuner = kt.Hyperband(build, max_epochs=9, factor=3, **place(folder))
    tuner.search(**DATA | {"verbose": verbose, "batch_size": 1})
    return tuner.results


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


def test_the_same_script_goes_on_to_the_same_curves(tmp_path):
    with launch(tmp_path) as first:
        _wait_for_epochs(tmp_path / "study", 4, first)
        first.send_signal(signal.SIGINT)
        out, _ = first.communicate(timeout=120)
    assert first.returncode == 0, out
    assert "stopped: interrupted" in out
    assert "run the same search again to go on" in out
    cut = open_study(tmp_path / "study").results
    after = search(tmp_path, 0)
    assert 4 <= cut.epochs < after.epochs
    assert told(after) == told(search(tmp_path / "whole", 0))
    assert len(after.history.sessions) == 2


def _wait_for_epochs(folder: Path, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(StudyNotFound):
            if open_study(folder).results.epochs >= count:
                return
        time.sleep(0.02)
    raise AssertionError(f"no {count} epochs: {process.communicate(timeout=10)[0]}")
