"""Ctrl-C during a real training, at any event and from outside; then the same search again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import kerashpo as kt
from kerashpo.core.errors import StudyNotFound
from kerashpo.core.listener import Listener
from kerashpo.study.results import Results
from kerashpo.study.study import open_study
from tests.helpers.small_models import DATA, build, outcomes, place

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from test_ctrl_c import search

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


@pytest.mark.slow
def test_the_same_script_continues_to_the_same_curves(tmp_path):
    with launch(tmp_path) as first:
        _wait_for_epochs(tmp_path / "study", 4, first)
        first.send_signal(signal.SIGINT)
        out, _ = first.communicate(timeout=120)
    assert first.returncode == 0, out
    assert "stopped: interrupted" in out
    assert "run the same search again to resume" in out
    cut = open_study(tmp_path / "study").results
    after = search(tmp_path, 0)
    assert after.stopped == "finished", "this process was reported to stop"
    assert 4 <= cut.epochs < after.epochs
    assert outcomes(after) == outcomes(search(tmp_path / "whole", 0))
    assert len(after.history.sessions) == 2


class AtEvent(Listener):
    """Presses Ctrl-C at the n-th event of a session, or never; counts them."""

    def __init__(self, number: int | None = None) -> None:
        self.number, self.received = number, 0

    def on_event(self, event: Any, snapshot: Any) -> None:
        self.received += 1
        if self.received == self.number:
            signal.raise_signal(signal.SIGINT)


def small_search(folder: Path, name: str, listener: Listener) -> Results:
    tuner = kt.Hyperband(build, max_epochs=2, factor=2, **place(folder, name))
    tuner.search(**DATA, listeners=[listener])
    return tuner.results


def test_interrupted_all_over_a_search_it_continues_to_the_same_curves(tmp_path):
    """At each line of the loop: tests/study/test_every_interrupt.py; here with real training."""
    counter = AtEvent()
    whole = outcomes(small_search(tmp_path, "whole", counter))
    numbers, stopped = range(1, counter.received + 1, 4), 0
    for number in numbers:
        cut = small_search(tmp_path, f"at {number}", AtEvent(number))
        stopped += cut.stopped == "interrupted"
        # What was reported is kept, and every trial is at rest.
        assert not cut.history.running
        after = small_search(tmp_path, f"at {number}", AtEvent())
        assert (after.stopped, outcomes(after)) == ("finished", whole), f"at event {number}"
    assert stopped > len(numbers) // 2


def _wait_for_epochs(folder: Path, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(StudyNotFound):
            if open_study(folder).results.epochs >= count:
                return
        time.sleep(0.02)
    raise AssertionError(f"no {count} epochs: {process.communicate(timeout=10)[0]}")
