"""Ctrl-C with Ray, two searches on one cluster, and nothing that is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

RAY = pytest.importorskip("ray", reason='needs the extra: pip install "kerashpo[ray]"')

import kerashpo as kt
from kerashpo.core.events import Reported
from kerashpo.store.open import has_log, read_events
from tests.helpers.ray_processes import ray_actors

pytestmark = pytest.mark.cluster

SCRIPT = """
import sys
import time

import kerashpo as kt

SECONDS = {seconds}


def slow(config):
    time.sleep(SECONDS)
    return config["x"]


kt.optimize(
    slow,
    {{"x": kt.space.uniform(0.0, 1.0)}},
    algorithm="random",
    max_trials=int(sys.argv[3]),
    seed=0,
    directory=sys.argv[2],
    executor=kt.executors.Ray(address=sys.argv[1], workers=1),
)
"""


@pytest.fixture
def start(cluster: object, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts searches in processes of their own; their output is in files."""
    with ExitStack() as stack:

        def begin(folder: Path, trials: int, seconds: float) -> subprocess.Popen[str]:
            script = folder.with_suffix(".py")
            script.write_text(SCRIPT.format(seconds=seconds))
            command = [sys.executable, str(script), cluster.address, str(folder), str(trials)]  # type: ignore[attr-defined]
            out = stack.enter_context(folder.with_suffix(".out").open("a"))
            variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
            process = subprocess.Popen(
                command, stdout=out, stderr=subprocess.STDOUT, text=True, env=variables
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield begin


def said(folder: Path) -> str:
    return folder.with_suffix(".out").read_text()


def reports(folder: Path) -> list[Reported]:
    if not has_log(folder):
        return []
    return [event for event in read_events(folder) if isinstance(event, Reported)]


def until(condition: Callable[[], object], seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_keeps_what_was_reported_and_ends_the_workers(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path, times: int
) -> None:
    folder = tmp_path / "study"
    # The second Ctrl-C comes while the trial that the first one waits for still runs.
    process = start(folder, 200, 0.2 if times == 1 else 2.0)
    until(lambda: len(reports(folder)) >= 2)
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
    process.wait(60)
    before, out = reports(folder), said(folder)
    assert 2 <= len(before) < 200, out
    if times == 1:
        assert process.returncode == 0 and "stopped on your request" in out
    else:
        assert process.returncode != 0 and "KeyboardInterrupt" in out
    until(lambda: not ray_actors(), 30.0)
    study = kt.open_study(folder)
    assert len(study.results) >= len(before)
    again = start(folder, len(study.results) + 1, 0.0)
    assert again.wait(90) == 0, said(folder)
    after = reports(folder)
    assert [event.report for event in after[: len(before)]] == [event.report for event in before]
    assert len({event.trial for event in after}) == len(study.results) + 1


def test_two_searches_on_one_cluster_do_not_disturb_each_other(
    start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    shared = list(Path("/dev/shm").iterdir()) if Path("/dev/shm").exists() else []
    folders = [tmp_path / "a", tmp_path / "b"]
    both = [start(folder, 6, 0.1) for folder in folders]
    for folder, process in zip(folders, both):
        assert process.wait(120) == 0, said(folder)
    values = [[event.report.metrics for event in reports(folder)] for folder in folders]
    assert values[0] == values[1] and len(values[0]) == 6
    until(lambda: not ray_actors(), 30.0)
    if shared:
        assert {p.name for p in Path("/dev/shm").iterdir()} <= {p.name for p in shared}
    # Beside its log, a study has its own lock and nothing of Ray's.
    assert not [p for folder in folders for p in folder.rglob("*") if "ray" in p.name]
