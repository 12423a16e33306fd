"""A cluster of ``ray start``, as in the documentation: found by itself, with its token."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

RAY = pytest.importorskip("ray", reason='needs the extra: pip install "kerashpo[ray]"')

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


@pytest.fixture
def started():
    """The environment of a head that was started with a token, and its address."""
    with tempfile.TemporaryDirectory(prefix="kh") as folder:  # sockets' paths must be short
        variables = {name: text for name, text in os.environ.items() if name != "RAY_ADDRESS"}
        variables |= {"HOME": folder, "RAY_TMPDIR": folder}
        variables["PYTHONPATH"] = os.pathsep.join(sys.path)
        ray = [str(Path(sys.executable).with_name("ray"))]
        subprocess.run([*ray, "get-auth-token", "--generate"], env=variables, check=True)
        options = ["--num-cpus=1", "--include-dashboard=false", "--disable-usage-stats"]
        options += ["--object-store-memory", str(100 * 2**20), "--port=0"]
        subprocess.run([*ray, "start", "--head", *options], env=variables, check=True)
        try:
            yield variables, (Path(folder) / "ray" / "ray_current_cluster").read_text().strip()
        finally:
            for process in psutil.process_iter(["cmdline"]):
                if any(folder in part for part in process.info["cmdline"] or ()):
                    process.kill()


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
