"""Shares of GPUs, memory and checkpoints at URLs on Ray nodes that only claim to have GPUs."""

from __future__ import annotations

import csv
import os
import signal
import time
from functools import partial

import pytest

RAY = pytest.importorskip("ray", reason='needs the extra: pip install "kerashpo[ray]"')

from kerashpo.compare.__main__ import main as compare
from kerashpo.core.events import Reached
from kerashpo.executors.factories import ExecutorRequest
from kerashpo.executors.ray.factory import Ray
from kerashpo.store.uri_blobs import UriBlobs
from kerashpo.testing.curve_runner import CurveRunner, wave
from tests.helpers.executor_cases import Driver

pytestmark = pytest.mark.cluster
NAMES = ("CUDA_VISIBLE_DEVICES", "XLA_PYTHON_CLIENT_MEM_FRACTION", "LIMITED", "OMP_NUM_THREADS")


@pytest.fixture
def build(connected):
    """Builds pools as a search does, and closes them."""
    made = []

    def begin(factory, curve, blobs=None, **request):
        make = partial(CurveRunner, curve, blobs)
        pool, first, _ = factory.build(ExecutorRequest(lambda _: make, blobs=blobs, **request))
        made.append(pool)
        return Driver(pool), first

    yield begin
    for pool in made:
        pool.close()


def surroundings(config, epoch):
    time.sleep(0.05)
    found = {name: float(os.environ.get(name, "nan")) for name in NAMES}
    growth = os.environ.get("TF_FORCE_GPU_ALLOW_GROWTH") == "true"
    return {"value": 0.0, "pid": float(os.getpid()), "growth": float(growth), **found}


def limit(share):
    os.environ["LIMITED"] = str(share)


def test_two_workers_share_a_gpu_and_its_memory(cluster, build):
    node = cluster.add_node(num_cpus=4, num_gpus=1, object_store_memory=100 * 2**20)
    driver, first = build(Ray(gpus_per_trial=0.5), surroundings, limit_gpu=limit)
    assert first == 2
    driver.until(lambda: driver.executor.free() == 2)
    for trial in range(2):
        driver.start(trial, until=5)
    driver.until(lambda: all(Reached(t) in driver.messages for t in range(2)))
    seen = [m.report.metrics for m in driver.messages if hasattr(m, "report")]
    assert len({metrics.pop("pid") for metrics in seen}) == 2
    wanted = dict(zip(NAMES, (0.0, 0.45, 0.45, 1.0), strict=True))
    assert all(metrics == {"value": 0.0, "growth": 1.0, **wanted} for metrics in seen)
    driver.executor.close()
    cluster.remove_node(node)


def test_workers_have_whole_gpus_threads_and_memory_of_their_own(cluster, build):
    node = cluster.add_node(num_cpus=4, num_gpus=2, memory=10**9, object_store_memory=100 * 2**20)
    # Memory for one of the two GPUs' workers.
    factory = Ray(gpus_per_trial=1, memory_per_trial="600MB")
    driver, first = build(factory, surroundings, threads=3, limit_gpu=limit)
    assert first == 1
    driver.start(0, until=1)
    driver.until(lambda: Reached(0) in driver.messages)
    seen = next(m.report.metrics for m in driver.messages if hasattr(m, "report"))
    assert seen["CUDA_VISIBLE_DEVICES"] in (0.0, 1.0) and seen["OMP_NUM_THREADS"] == 3.0
    assert seen["growth"] == 0.0 and seen["LIMITED"] != seen["LIMITED"]  # nothing shares it
    driver.executor.close()
    cluster.remove_node(node)


def placed(config, epoch):
    time.sleep(0.05)
    return {"value": wave({"x": config["x"]}, epoch), "pid": float(os.getpid())}


def test_checkpoints_at_a_url_are_written_by_the_workers(build, tmp_path):
    blobs = UriBlobs(f"file://{tmp_path}/bucket/study")
    driver, _ = build(Ray(checkpoints=f"file://{tmp_path}/bucket", workers=1), placed, blobs)
    driver.start(0, until=30)
    driver.until(lambda: len(driver.epochs(0)) > 3)
    pids = [m.report.metrics["pid"] for m in driver.messages if hasattr(m, "report")]
    os.kill(int(pids[-1]), signal.SIGKILL)
    driver.until(lambda: Reached(0) in driver.messages)
    assert sorted(set(driver.epochs(0))) == list(range(1, 31))
    assert len(driver.epochs(0)) <= 32  # it went on from a checkpoint
    assert blobs.get("0/checkpoint-0-30.npz") == b"30"


def test_a_comparison_runs_its_cells_on_the_nodes(cluster, connected, tmp_path):
    node = cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20)
    arguments = "--problem wine --tuners random --max-trials 1 --max-epochs 1 --quiet --seeds 0 1"
    found = {}
    for workers in ("ray", "1"):
        out = tmp_path / workers
        assert compare([*arguments.split(), "--workers", workers, "--out", str(out)]) == 0
        with (out / "results.csv").open(newline="") as file:
            found[workers] = {(row["tuner"], row["seed"]): row for row in csv.DictReader(file)}
    assert found["ray"].keys() == found["1"].keys()
    for key, row in found["1"].items():
        there = found["ray"][key]
        assert there["best_config"] == row["best_config"] and there["epochs"] == row["epochs"]
        assert float(there["val_loss"]) == pytest.approx(float(row["val_loss"]), rel=1e-4)
    cluster.remove_node(node)
