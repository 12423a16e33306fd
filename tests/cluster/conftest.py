"""A small Ray cluster for the tests of this folder, which are skipped without the extra."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from functools import partial
from pathlib import Path

import psutil
import pytest

RAY = pytest.importorskip("ray", reason='needs the extra: pip install "kerashpo[ray]"')
STORE = 100 * 2**20


def start_cluster():
    """Starts a head node without CPUs and one node with two; more can be added."""
    from ray.cluster_utils import Cluster

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0,
                "object_store_memory": STORE,
                "include_dashboard": False,
                "no_monitor": True,
                # Ray's workers have a low priority, which on a busy machine is none.
                "_system_config": {"worker_niceness": 0},
            },
        )
        made.add_node(num_cpus=2, object_store_memory=STORE)
    return made


@pytest.fixture(scope="session")
def cluster():
    """The cluster of most tests."""
    made = start_cluster()
    yield made
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.shutdown()


@pytest.fixture(scope="module")
def connected(cluster):
    """This process is connected to the cluster, as if the user had called ray.init."""
    RAY.init(address=cluster.address, log_to_driver=False, logging_level="error")
    yield cluster
    RAY.shutdown()


@pytest.fixture
def pool(connected, tmp_path):
    """Starts pools of curves, and closes them."""
    from kerashpo.executors.pool.worker_pool import PoolSettings, WorkerPool
    from kerashpo.executors.ray.connection import connect
    from kerashpo.executors.ray.transport import RayTransport
    from kerashpo.store.blobs import FileBlobs
    from kerashpo.testing.curve_runner import CurveRunner
    from tests.helpers.executor_cases import Driver, slow

    made = []

    def begin(curve=slow, needs=None, settings=PoolSettings(), **options):
        blobs = FileBlobs(tmp_path)
        make = partial(CurveRunner, curve, blobs)
        needs = needs or {"CPU": 1}
        transport = RayTransport(connect("auto", None), make, needs, local=blobs, **options)
        made.append(WorkerPool(transport, settings))
        return Driver(made[-1])

    yield begin
    for executor in made:
        executor.close()


@pytest.fixture
def alone():
    """The environment of a user on a machine without a cluster."""
    with tempfile.TemporaryDirectory(prefix="kh") as folder:  # sockets' paths must be short
        variables = {name: text for name, text in os.environ.items() if name != "RAY_ADDRESS"}
        variables |= {"HOME": folder, "RAY_TMPDIR": folder}
        variables["PYTHONPATH"] = os.pathsep.join(sys.path)
        try:
            yield variables, Path(folder)
        finally:
            for process in processes(folder):
                process.kill()


def processes(folder):
    found = psutil.process_iter(["cmdline"])
    return [p for p in found if any(str(folder) in part for part in p.info["cmdline"] or ())]
