"""The suite of executors on Ray actors, with workers that wait for each decision and not."""

from __future__ import annotations

import pytest

pytest.importorskip("ray", reason='needs the extra: pip install "kerashpo[ray]"')

from kerashpo.executors.pool.worker_pool import PoolSettings, WorkerPool
from kerashpo.executors.ray.connection import connect
from kerashpo.executors.ray.transport import RayTransport
from kerashpo.testing.executors import CHECKS

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("waits", [True, False], ids=["waiting", "ahead"])
def test_ray_keeps_what_executors_promise(connected, check, waits):
    def pool(make, blobs):
        workers = 1 if waits else 2  # each takes a second or two to start
        transport = RayTransport(connect("auto", None), make, {"CPU": 1}, workers, local=blobs)
        return WorkerPool(transport, PoolSettings(waits), blobs)

    check(pool)
