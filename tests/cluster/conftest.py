"""A small Ray cluster for the tests of this folder, which are skipped without the extra."""

from __future__ import annotations

import warnings

import pytest

RAY = pytest.importorskip("ray", reason='needs the extra: pip install "kerashpo[ray]"')
STORE = 100 * 2**20


@pytest.fixture(scope="session")
def cluster():
    """A head node without CPUs and one node with two; more can be added."""
    from ray.cluster_utils import Cluster

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0,
                "object_store_memory": STORE,
                # Ray's workers have a low priority, which on a busy machine is none.
                "_system_config": {"worker_niceness": 0},
            },
        )
        made.add_node(num_cpus=2, object_store_memory=STORE)
        yield made
        made.shutdown()


@pytest.fixture(scope="module")
def connected(cluster):
    """This process is connected to the cluster, as if the user had called ray.init."""
    RAY.init(address=cluster.address, log_to_driver=False, logging_level="error")
    yield cluster
    RAY.shutdown()
