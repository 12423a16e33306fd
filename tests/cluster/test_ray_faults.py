"""Faults of a Ray cluster besides lost workers: stopped raylets, slow nodes, full object stores."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest

RAY = pytest.importorskip("ray", reason='needs the extra: pip install "kerashpo[ray]"')

from kerashpo.core.errors import DiskFull, InvalidInput
from kerashpo.core.events import Noted, Reached
from kerashpo.executors.ray import transport as of_transport
from kerashpo.executors.ray.worker import _ask
from kerashpo.testing.curve_runner import wave
from tests.helpers.executor_cases import unbroken
from tests.helpers.ray_processes import ray_actors

pytestmark = pytest.mark.cluster


def place_of(config, epoch):
    """A curve that also says which process computes it."""
    time.sleep(0.05)
    return {"value": wave({"x": config["x"]}, epoch), "pid": float(os.getpid())}


def pid_of(driver, trial):
    found = [m.report for m in driver.messages if hasattr(m, "report") and m.trial == trial]
    return int(found[-1].metrics["pid"])


def lost(driver):
    return [message.facts for message in driver.messages if isinstance(message, Noted)]


def test_a_killed_keeper_of_checkpoints_is_replaced(pool):
    driver = pool(workers=1)
    driver.start(0, until=60)
    driver.until(lambda: len(driver.epochs(0)) > 3)
    (keeper,) = ray_actors("Keeper")
    keeper.kill()
    driver.until(lambda: Reached(0) in driver.messages)
    assert driver.values(0) == unbroken(0, 60) and not lost(driver)


def test_a_node_whose_raylet_does_not_answer_for_a_while_trains_on(cluster, pool):
    node = cluster.add_node(num_cpus=1, resources={"cut": 1}, object_store_memory=100 * 2**20)
    raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
    driver = pool(needs={"CPU": 1, "cut": 1}, workers=1)
    driver.start(0, until=100)
    driver.until(lambda: len(driver.epochs(0)) > 3)
    raylet.send_signal(signal.SIGSTOP)
    try:
        before = len(driver.epochs(0))
        driver.until(lambda: len(driver.epochs(0)) > before + 20)
    finally:
        raylet.send_signal(signal.SIGCONT)
    driver.until(lambda: Reached(0) in driver.messages)
    assert driver.values(0) == unbroken(0, 100) and not lost(driver)
    cluster.remove_node(node)


def gated(config, epoch):
    """A curve that waits for a file, if its configuration names one."""
    while config.get("gate") and not Path(config["gate"]).exists():
        time.sleep(0.05)
    return wave({"x": config["x"]}, epoch)


def test_a_node_that_joins_in_the_middle_is_used(cluster, pool, tmp_path):
    driver, gate = pool(gated), tmp_path / "gate"
    driver.until(lambda: driver.executor.free() == 2)
    for trial in range(2):
        driver.start(trial, until=3, gate=str(gate))
    driver.start(2, until=3)
    node = cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20)
    driver.until(lambda: Reached(2) in driver.messages)
    assert not driver.epochs(0) and not driver.epochs(1)
    gate.touch()
    driver.until(lambda: all(Reached(trial) in driver.messages for trial in range(2)))
    assert all(driver.values(t) == unbroken(t, 3) for t in range(3)) and not lost(driver)
    cluster.remove_node(node)


def test_a_worker_on_a_slow_node_does_not_hold_up_the_others(pool):
    driver = pool(place_of, workers=2)
    driver.until(lambda: driver.executor.free() == 2)
    driver.start(0, until=30)
    driver.until(lambda: len(driver.epochs(0)) > 2)
    slow = psutil.Process(pid_of(driver, 0))
    slow.suspend()  # as slow as can be
    try:
        for trial in range(1, 6):
            driver.start(trial, until=5)
        driver.until(lambda: all(Reached(trial) in driver.messages for trial in range(1, 6)))
        assert Reached(0) not in driver.messages
    finally:
        slow.resume()
    driver.until(lambda: Reached(0) in driver.messages)
    assert all(driver.values(t) == unbroken(t, 5) for t in range(1, 6)) and not lost(driver)
    assert driver.values(0) == unbroken(0, 30)


def first_of(array, config, epoch):
    return float(array[0]) + wave(config, epoch)


def test_data_beyond_the_object_store_are_spilled(pool):
    driver = pool(partial(first_of, np.zeros(20_000_000)), workers=1)  # 160 MB; the stores have 100
    driver.start(0, until=2)
    driver.until(lambda: Reached(0) in driver.messages)
    assert driver.values(0) == unbroken(0, 2)


def test_data_that_find_no_place_are_refused_with_what_to_do(pool, monkeypatch):
    def full(_):
        raise RAY.exceptions.OutOfDiskError("full")

    monkeypatch.setattr(of_transport.ray, "put", full)
    with pytest.raises(InvalidInput, match=r"MB\) do not fit Ray's object store.*memory=BYTES"):
        pool(workers=1)


def test_a_checkpoint_that_finds_no_place_ends_the_search_with_what_to_do():
    class Keeper:
        class answer:
            @staticmethod
            def remote(method, arguments):
                raise RAY.exceptions.ObjectStoreFullError("full")

    with pytest.raises(DiskFull, match=r"is in the log.*object-store-memory.*checkpoints="):
        _ask(Keeper(), "put", ("0/checkpoint-0-1.npz", b"state"))
