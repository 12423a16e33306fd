"""Searches on a Ray cluster: the numbers of one process, lost workers and nodes, versions."""

from __future__ import annotations

import os
import signal
import time

import pytest

RAY = pytest.importorskip("ray", reason='needs the extra: pip install "kerashpo[ray]"')

import kerashpo as kt
from kerashpo.cli import main
from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Noted, Reached
from kerashpo.executors.ray import transport as of_transport
from kerashpo.executors.ray.connection import running_cluster
from tests.helpers.executor_cases import unbroken
from tests.helpers.small_models import DATA, build

pytestmark = pytest.mark.cluster


def test_a_killed_worker_is_replaced_and_its_trial_continues(pool):
    driver = pool(where, workers=1)
    driver.until(lambda: driver.executor.free() == 1)
    driver.start(0, until=40)
    driver.until(lambda: len(driver.epochs(0)) > 2)
    pid = next(int(m.report.metrics["pid"]) for m in driver.messages if hasattr(m, "report"))
    os.kill(pid, signal.SIGKILL)
    driver.until(lambda: Reached(0) in driver.messages)
    again = len(driver.epochs(0)) - 40
    assert sorted({*driver.epochs(0)}) == list(range(1, 41)) and again <= 2
    lost = [m.facts for m in driver.messages if isinstance(m, Noted)]
    assert [facts["workers_lost"] for facts in lost] == [1]
    assert "its process on" in lost[0]["worker_lost"]


def where(config, epoch):
    time.sleep(0.05)
    return {"value": 1.0, "pid": float(os.getpid())}


def test_lost_nodes_do_not_count_and_nodes_that_join_are_used(cluster, pool):
    node = cluster.add_node(num_cpus=1, resources={"here": 1}, object_store_memory=100 * 2**20)
    driver = pool(needs={"CPU": 1}, workers=3)
    driver.until(lambda: driver.executor.free() == 3)
    for trial in range(3):
        driver.start(trial, until=200 if trial == 0 else 100)
    driver.until(lambda: all(driver.epochs(trial) for trial in range(3)))
    cluster.remove_node(node, allow_graceful=False)
    driver.until(lambda: driver.executor.fleet().lost == 1, seconds=120)
    driver.until(lambda: all(Reached(t) in driver.messages for t in range(3)), seconds=120)
    assert all(driver.values(t) == unbroken(t, 200 if t == 0 else 100) for t in range(3))
    lost = [m.facts for m in driver.messages if isinstance(m, Noted)]
    assert [facts["workers_lost"] for facts in lost] == [0]
    assert "the node" in lost[0]["worker_lost"]


def test_what_is_waited_for_is_said(pool):
    driver = pool(needs={"CPU": 1, "GPU": 2}, workers=1)
    driver.until(lambda: driver.executor.fleet() is not None and driver.executor.fleet().waiting)
    assert driver.executor.fleet().why == "1 CPU and 2 GPU: no node of the cluster has that"


def test_other_versions_are_refused_by_name(pool, monkeypatch):
    monkeypatch.setattr(of_transport, "versions", lambda: {"python": "3.99"})
    driver = pool(workers=1)
    with pytest.raises(InvalidInput, match=r"The Ray node .* has python .* instead of 3.99"):
        driver.until(lambda: False)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (kt.Hyperband, {"max_epochs": 2, "factor": 2}),
        (kt.PBT, {"population": 3, "interval": 1, "max_epochs": 3}),  # forks on other workers
    ],
)
def test_a_search_has_the_numbers_of_one_process(connected, tmp_path, make, options):
    found = {}
    for name, workers in (("one", 1), ("ray", "ray")):
        tuner = make(
            build,
            "val_loss",
            **options,
            seed=0,
            deterministic=True,
            workers=workers,
            directory=tmp_path,
            project_name=name,
        )
        tuner.search(**DATA)
        trials = tuner.results.history.trials
        found[name] = {number: metrics(trial) for number, trial in trials.items()}
        assert tuner.get_best_models(1)
    assert found["ray"] == found["one"] and RAY.is_initialized()
    assert all(trial.node for trial in trials.values())


def metrics(trial):
    return {epoch: report.metrics for epoch, report in trial.reports[0].items()}


def test_the_doctor_lists_all_nodes(connected, capsys):
    assert main(["doctor", "--cluster"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and all(line.endswith(": ok") for line in lines)
    assert "2 CPU, 0 GPU" in "".join(lines) and "kerashpo 0.1.0" in lines[0]


def test_a_cluster_that_has_ended_is_not_waited_for(tmp_path):
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:1")
    assert running_cluster({"RAY_TMPDIR": str(tmp_path)}) is None
    assert running_cluster({"RAY_ADDRESS": "10.0.0.1:6379"}) == "10.0.0.1:6379"
