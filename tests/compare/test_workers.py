"""Runs side by side, in real processes; what is not needed of Keras is not loaded."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kerashpo.compare import workers
from kerashpo.compare.__main__ import INTERRUPTED, main
from kerashpo.compare.arguments import ComparisonOptions
from kerashpo.compare.runs import Run, plan_runs
from kerashpo.compare.storage import read_rows
from kerashpo.compare.workers import ATTEMPTS, Workers, share_of_threads
from kerashpo.core.errors import KerashpoError
from kerashpo.core.history import History
from kerashpo.problems.registry import make_task
from kerashpo.store.blobs import LOG_NAME
from kerashpo.study.study import open_study

ROOT = Path(__file__).parents[2]
# Many small epochs: an interrupt falls into the search, not before or after.
LONG = "--problem wine --tuners random --max-epochs 100 --max-trials 3 --seeds 0 1 --quiet".split()


def untrained(tmp_path, seeds):
    """Runs that need no Keras: the majority class of several seeds."""
    options = ComparisonOptions(
        problem=("wine",), seeds=tuple(range(seeds)), workers=2, out=str(tmp_path)
    )
    runs = plan_runs(options, {"wine": make_task("wine")})
    return options, [run for run in runs if run.tuner == "majority"]


def test_every_run_is_carried_out_once(tmp_path):
    options, runs = untrained(tmp_path, 5)
    begun: list[Run] = []
    found = dict(Workers(options, 2, begun.append).carry_out(runs))
    assert begun == runs and set(found) == set(runs)
    assert all(found[run] == run.result for run in runs)
    assert {result.seed for result in found.values()} == set(range(5))


@pytest.mark.parametrize(("count", "cores", "each"), [(1, 4, 4), (2, 5, 2), (8, 2, 1)])
def test_workers_share_the_threads(count, cores, each):
    assert share_of_threads(count, cores) == each


def test_a_worker_starts_with_its_share(monkeypatch):
    before = dict(os.environ)
    with workers._environment({"OMP_NUM_THREADS": "3"}):
        assert os.environ["OMP_NUM_THREADS"] == "3"
    assert dict(os.environ) == before


class Dying:
    """A run that kills its process; pickled as the call that makes it again."""

    def __init__(self, folder: Path, often: int) -> None:
        self.problem, self.tuner, self.seed = "wine", "majority", 0
        self.folder, self.often = folder, often

    def __reduce__(self):
        return _die, (self.folder, self.often)


def _die(folder, often):
    """Runs in the worker: dies the first times, then gives a run like any other."""
    count = len(list(folder.glob("death-*")))
    if count < often:
        (folder / f"death-{count}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return Run("wine", "majority", 0, folder)


def test_a_killed_worker_is_replaced_and_its_run_goes_on(tmp_path):
    options, runs = untrained(tmp_path, 1)
    dying = Dying(tmp_path, ATTEMPTS - 1)
    found = dict(Workers(options, 2, lambda run: None).carry_out([dying, *runs]))
    assert found[dying].tuner == "majority" and found[runs[0]].seed == 0
    assert len(list(tmp_path.glob("death-*"))) == ATTEMPTS - 1


def test_a_run_that_always_kills_its_worker_is_given_up(tmp_path):
    options, _ = untrained(tmp_path, 1)
    message = f"wine, seed 0, ended its process {ATTEMPTS} times .exit code -9.*fewer --workers"
    with pytest.raises(KerashpoError, match=message):
        list(Workers(options, 2, lambda run: None).carry_out([Dying(tmp_path, 99)]))


def test_a_failing_run_is_told_with_its_name(tmp_path):
    options, _ = untrained(tmp_path, 1)
    wrong = Run("no such problem", "majority", 3, tmp_path)
    with pytest.raises(KerashpoError, match="majority on no such problem, seed 3: Unknown problem"):
        list(Workers(options, 2, lambda run: None).carry_out([wrong]))


def test_an_interrupt_while_packages_load_is_noted_and_raises_nothing():
    before = signal.getsignal(signal.SIGINT)
    try:
        assert workers._asked_while(lambda: os.kill(os.getpid(), signal.SIGINT))
        assert not workers._asked_while(lambda: None)
    finally:
        signal.signal(signal.SIGINT, before)


class Comparison:
    """A comparison in a process of its own."""

    def __init__(self, out: Path, *more: str) -> None:
        self.out = out
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kerashpo.compare", *LONG, "--out", str(out), *more],
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


@pytest.mark.parametrize(("count", "number"), [("1", signal.SIGINT), ("2", signal.SIGTERM)])
def test_a_signal_in_a_real_comparison_saves_and_the_same_command_goes_on(count, number, tmp_path):
    comparison = Comparison(tmp_path, "--workers", count)
    comparison.wait_for_an_epoch()
    code, out, err = comparison.send(number)
    assert code == INTERRUPTED, err
    assert "goes on where it was" in out
    assert "Traceback" not in err
    assert not (tmp_path / "results.csv").exists()
    before = comparison.histories()
    assert all(not history.running for history in before)
    assert any(history.stopped == "interrupted" for history in before)
    assert main([*LONG, "--out", str(tmp_path)]) == 0
    rows = [row for row in read_rows(tmp_path / "results.csv") if row["tuner"] == "random"]
    assert [(row["seed"], row["trials"], row["epochs"]) for row in rows] == [
        ("0", "3", "300"), ("1", "3", "300"),
    ]  # fmt: skip
    # The search that was cut has a second session; what it had trained was not trained again.
    assert max(len(history.sessions) for history in comparison.histories()) == 2
