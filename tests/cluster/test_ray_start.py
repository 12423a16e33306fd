"""A cluster of ``ray start``, as in the documentation: found by itself, with its token."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

RAY = pytest.importorskip("ray", reason='needs the extra: pip install "kerashpo[ray]"')

import kerashpo as kt
from tests.cluster.conftest import processes

pytestmark = pytest.mark.cluster

CONNECT = """
import sys
from kerashpo.core.errors import InvalidInput
from kerashpo.executors.ray.connection import connect

try:
    connection = connect(sys.argv[1], None)
    print("nodes", len(connection.nodes), connection.started)
    connection.close()
except InvalidInput as error:
    print(error)
"""


SEARCH = """
import sys
import kerashpo as kt

kt.optimize(lambda config: config["x"], {"x": kt.space.uniform(0.0, 1.0)}, max_trials=2, seed=0,
    directory=sys.argv[1], workers="ray")
"""


@pytest.fixture
def started(alone):
    """The same with a head that was started with a token, and its address."""
    variables, folder = alone
    ray = [str(Path(sys.executable).with_name("ray"))]
    subprocess.run([*ray, "get-auth-token", "--generate"], env=variables, check=True)
    options = ["--num-cpus=1", "--include-dashboard=false", "--disable-usage-stats"]
    options += ["--object-store-memory", str(100 * 2**20), "--port=0"]
    subprocess.run([*ray, "start", "--head", *options], env=variables, check=True)
    return variables, (folder / "ray" / "ray_current_cluster").read_text().strip()


def test_a_cluster_is_started_for_a_search_and_ends_with_it(alone, tmp_path):
    variables, folder = alone
    command = [sys.executable, "-c", SEARCH, str(tmp_path / "study")]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "Ray was started on this machine for this search" in said, said
    assert len(kt.open_study(tmp_path / "study").results) == 2
    deadline = time.monotonic() + 60.0
    while processes(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not processes(folder)
    assert not any((folder / "ray").glob("session_2*"))


def test_a_started_cluster_is_found_with_its_token(started):
    variables, address = started

    def said(where, **more):
        command = [sys.executable, "-W", "ignore", "-c", CONNECT, where]
        done = subprocess.run(
            command, env={**variables, **more}, capture_output=True, text=True, check=True
        )
        return done.stdout.splitlines()[-1]

    assert said("auto") == "nodes 1 False"
    assert said(address, RAY_AUTH_MODE="token") == "nodes 1 False"
    assert "set the environment variable RAY_AUTH_MODE=token" in said(address)
