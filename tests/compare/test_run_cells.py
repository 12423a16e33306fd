"""Cells on our executors: in this process, and in real worker processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kerashpo.compare.__main__ import main
from kerashpo.compare.command import INTERRUPTED
from kerashpo.compare.comparison_options import ComparisonOptions
from kerashpo.compare.run_cells import run_cells
from kerashpo.compare.runs import Run, plan_runs
from kerashpo.core.errors import KerashpoError
from kerashpo.core.history import History
from kerashpo.executors.pool.losses import LIVES
from kerashpo.problems.registry import make_task
from kerashpo.store.open import LOG_NAME
from kerashpo.study.study import open_study

ROOT = Path(__file__).parents[2]
# Many small epochs: an interrupt falls into the search, not before or after.
LONG = "--problem wine --tuners random --max-epochs 100 --max-trials 2 --quiet --seeds".split()


def untrained(tmp_path, seeds, count=2):
    """Runs that need no Keras: the majority class of several seeds."""
    options = ComparisonOptions(
        problem=("wine",), seeds=tuple(range(seeds)), workers=count, out=str(tmp_path)
    )
    runs = plan_runs(options, {"wine": make_task("wine")})
    return options, [run for run in runs if run.tuner == "majority"]


def cells(runs, options, begins=lambda run: None):
    return list(run_cells(runs, options, begins, lambda: None))


@pytest.mark.parametrize("count", [1, 2])
def test_every_run_runs_once(count, tmp_path):
    options, runs = untrained(tmp_path, 5, count)
    begun: list[Run] = []
    found = dict(cells(runs, options, begun.append))
    assert begun == runs and set(found) == set(runs)
    assert all(found[run] == run.result for run in runs)
    assert {result.seed for result in found.values()} == set(range(5))


def test_nothing_to_run_starts_no_worker(tmp_path):
    options, _ = untrained(tmp_path, 1)
    assert cells([], options) == []


DYING = """
import os, signal
from pathlib import Path
from kerashpo.problems.wine import wine

deaths = Path({folder!r})
if len(list(deaths.glob("death-*"))) < {often}:
    (deaths / f"death-{{len(list(deaths.glob('death-*')))}}").touch()
    os.kill(os.getpid(), signal.SIGKILL)


def task():
    return wine()
"""


def dying(tmp_path, often):
    """A run whose problem's file kills the process that imports it, the first times."""
    file = tmp_path / "dying.py"
    file.write_text(DYING.format(folder=str(tmp_path), often=often))
    return Run("wine", "majority", 0, tmp_path / "dying", source=f"{file}:task")


def test_a_killed_worker_is_replaced_and_its_run_continues(tmp_path):
    options, runs = untrained(tmp_path, 1)
    one = dying(tmp_path, LIVES - 1)
    found = dict(cells([one, *runs], options))
    assert found[one].tuner == "majority" and found[runs[0]].seed == 0
    assert len(list(tmp_path.glob("death-*"))) == LIVES - 1


def test_a_run_that_always_kills_its_worker_is_given_up(tmp_path):
    options, _ = untrained(tmp_path, 1)
    message = f"majority on wine, seed 0: {LIVES} workers were lost.*SIGKILL.*fewer --workers"
    with pytest.raises(KerashpoError, match=message):
        cells([dying(tmp_path, 99)], options)


@pytest.mark.parametrize("count", [1, 2])
def test_a_failing_run_is_named(count, tmp_path):
    options, _ = untrained(tmp_path, 1, count)
    wrong = Run("no such problem", "majority", 3, tmp_path)
    with pytest.raises(KerashpoError, match="majority on no such problem, seed 3: Unknown problem"):
        cells([wrong], options)


def test_an_error_without_a_message_of_ours_shows_its_traceback(tmp_path, monkeypatch):
    options, runs = untrained(tmp_path, 1, 1)

    def broken(run, options):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("kerashpo.compare.run_cells.run_one", broken)
    with pytest.raises(KerashpoError, match="(?s)seed 0: ZeroDivisionError: by zero.*Traceback"):
        cells(runs, options)


class Comparison:
    """A comparison in a process of its own."""

    def __init__(self, out: Path, *arguments: str) -> None:
        self.out = out
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kerashpo.compare", *arguments, "--out", str(out)],
            env=os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def histories(self) -> list[History]:
        """The logs of its searches that hold an epoch."""
        found = []
        for log in self.out.rglob(LOG_NAME):
            with contextlib.suppress(KerashpoError):  # just made
                found.append(open_study(log.parent).history)
        return [history for history in found if history.epochs]

    def wait_for_an_epoch(self) -> None:
        deadline = time.monotonic() + 300
        while not self.histories():
            assert self.process.poll() is None, self.process.communicate()[1]
            assert time.monotonic() < deadline, "no epoch was trained"
            time.sleep(0.05)

    def send(self, number: int) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=300)
        return self.process.returncode, out, err


@pytest.mark.parametrize(
    ("seeds", "number"),
    [((0,), signal.SIGINT), ((0, 1), signal.SIGTERM)],
    ids=["in this process", "in two workers"],
)
@pytest.mark.slow
def test_a_signal_in_a_real_comparison_loses_no_logged_epoch(seeds, number, tmp_path):
    arguments = [*LONG, *map(str, seeds)]
    comparison = Comparison(tmp_path, *arguments, "--workers", str(len(seeds)))
    comparison.wait_for_an_epoch()
    code, out, err = comparison.send(number)
    assert code == INTERRUPTED, err
    assert "The same command resumes it" in out
    assert "Traceback" not in err
    assert not (tmp_path / "results.csv").exists()
    before = {history.seed: history.epochs for history in comparison.histories()}
    assert before and min(before.values()) < 200
    assert main([*arguments, "--out", str(tmp_path)]) == 0
    results = [json.loads(path.read_text()) for path in tmp_path.rglob("random*.result.json")]
    assert sorted((r["seed"], r["trials"], r["epochs"]) for r in results) == [
        (seed, 2, 200) for seed in seeds
    ]
    # The search that was cut has a second session; what is in the log was not trained again.
    assert max(len(history.sessions) for history in comparison.histories()) == 2
