"""Heads that are lost early and late, and a killed search: it goes on, on new clusters."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

RAY = pytest.importorskip("ray", reason='needs the extra: pip install "kerashpo[ray]"')

import kerashpo as kt
from kerashpo.core.events import Reported, SessionStarted
from kerashpo.store.open import has_log, read_events
from tests.cluster.conftest import start_cluster
from tests.helpers.ray_processes import ray_actors

pytestmark = pytest.mark.cluster

SCRIPT = """
import sys
import time

import kerashpo as kt


SECONDS = float(sys.argv[3])


def slow(config):
    time.sleep(SECONDS)
    return config["x"]


kt.optimize(
    slow,
    {"x": kt.space.uniform(0.0, 1.0)},
    algorithm="random",
    max_trials=12,
    seed=0,
    directory=sys.argv[1],
    executor=kt.executors.Ray(address=sys.argv[2], workers=2) if sys.argv[2] else None,
)
"""


@contextmanager
def new_cluster():
    cluster = start_cluster()
    try:
        yield cluster
    finally:
        cluster.shutdown()


class Search:
    """The search, in processes of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.script = folder, folder.with_suffix(".py")
        self.script.write_text(SCRIPT)

    @contextmanager
    def started(self, address: str, seconds: float):
        command = [sys.executable, str(self.script), str(self.folder), address, str(seconds)]
        variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        self.before, self.output = self.sessions(), self.folder.with_suffix(".out")
        with self.output.open("w") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, env=variables)
        with process:
            try:
                self.process = process
                yield process
            finally:
                process.kill()

    def until(self, reports: int) -> None:
        """Waits until the search is connected to the cluster, and has so many reports."""
        deadline = time.monotonic() + 200.0
        while self.sessions() == self.before or len(self.reports()) < reports:
            assert self.process.poll() is None and time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def end(self) -> int:
        """Waits for the end of the process; returns its exit code."""
        return self.process.wait(200)

    def said(self) -> str:
        return self.output.read_text()

    def sessions(self) -> int:
        found = read_events(self.folder) if has_log(self.folder) else []
        return sum(isinstance(event, SessionStarted) for event in found)

    def reports(self):
        if not has_log(self.folder):
            return []
        found = [event.report for event in read_events(self.folder) if isinstance(event, Reported)]
        return [(report.trial, report.metrics) for report in found]


def until(condition, what):
    deadline = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)


def test_a_search_outlives_heads_and_its_own_process(tmp_path):
    search, kept = Search(tmp_path / "study"), []
    for reports in (0, 2):  # before a worker is ready, and in the middle
        with new_cluster() as cluster, search.started(cluster.address, 8.0):
            search.until(reports)
            kept = search.reports()
            cluster.head_node.kill_gcs_server(check_alive=False)
            assert search.end() != 0, search.said()
            # By the search itself, or by its child if Ray has ended it.
            until(lambda: "run the same script again" in search.said(), search.said)
        assert search.reports()[: len(kept)] == kept
    with new_cluster() as cluster:
        with search.started(cluster.address, 0.5) as process:
            search.until(len(kept) + 2)
            process.kill()
            process.wait()
            kept = search.reports()
        until(lambda: not ray_actors(), ray_actors)  # Ray ended the workers of the killed search
    with new_cluster() as cluster, search.started(cluster.address, 0.0):
        assert search.end() == 0, search.said()
    assert search.reports()[: len(kept)] == kept and len(search.reports()) == 12
    alone = Search(tmp_path / "alone")
    with alone.started("", 0.0):
        assert alone.end() == 0, alone.said()
    assert sorted(search.reports(), key=str) == sorted(alone.reports(), key=str)
    best = min(metrics["value"] for _, metrics in alone.reports())
    assert kt.open_study(search.folder).results.best.score == best
