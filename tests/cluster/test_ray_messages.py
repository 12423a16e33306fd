"""What the search and a Ray worker exchange: one call an epoch, and checkpoints the short way."""

from __future__ import annotations

import pickle
import subprocess
import sys
from types import SimpleNamespace

import pytest

RAY = pytest.importorskip("ray", reason='needs the extra: pip install "kerashpo[ray]"')

from kerashpo.core.records import Decision
from kerashpo.executors.pool.protocol import Acknowledged, Answer, Quit, Ready
from kerashpo.executors.ray import transport as of_transport
from kerashpo.executors.ray.transport import RayLink

pytestmark = pytest.mark.cluster

AT_HOME = """
import sys
from functools import partial

from kerashpo.executors.pool.worker_pool import WorkerPool
from kerashpo.executors.ray.connection import connect
from kerashpo.executors.ray.transport import RayTransport
from kerashpo.store.blobs import FileBlobs
from kerashpo.testing.curve_runner import CurveRunner
from tests.helpers.executor_cases import Driver, slow
from tests.helpers.ray_processes import ray_actors

blobs = FileBlobs(sys.argv[1])
transport = RayTransport(
    connect("local", None), partial(CurveRunner, slow, blobs), {"CPU": 1}, 1, local=blobs
)
pool = WorkerPool(transport)
driver = Driver(pool)
driver.start(0, until=30)
driver.until(lambda: len(driver.epochs(0)) > 5)
print(len(ray_actors("Worker")), len(ray_actors("Keeper")), len(blobs.stored("0")) > 0)
pool.close()
"""


def test_a_worker_on_the_search_s_node_needs_no_keeper(alone, tmp_path):
    variables, _ = alone
    command = [sys.executable, "-W", "ignore", "-c", AT_HOME, str(tmp_path)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["1 0 True"], done.stdout + done.stderr


class Actor:
    """Notes its calls in place of an actor."""

    def __init__(self):
        self.calls = []
        for name in ("exchange", "take", "meet"):
            setattr(self, name, SimpleNamespace(remote=self._method(name)))

    def _method(self, name):
        def remote(first, orders):
            self.calls.append((name, first, pickle.loads(orders)))
            return name

        return remote


@pytest.fixture
def link(monkeypatch):
    """A link to a worker on the search's node, its actor, and how its calls return."""
    returns = []
    monkeypatch.setattr(of_transport.ray, "get", lambda call: returns.pop(0))
    actor = Actor()
    made = RayLink(SimpleNamespace(home="here"), actor, "begin", pytest.fail)

    def collect(result):
        returns.append(result)
        made.collect()

    collect(("here", "10.0.0.1", 7))
    return made, actor, collect


def said(*messages):
    return pickle.dumps(list(messages)), False, 0


def test_orders_that_answer_messages_travel_with_the_next_call(link):
    link, actor, collect = link
    link.flush()
    assert actor.calls == [("exchange", 0, [])]
    collect(said(Ready(), Ready()))
    link.flush()  # nothing yet: the messages are not handled
    assert link.receive() == Ready() and link.receive() == Ready()
    link.send(Acknowledged(2))
    link.flush()
    assert actor.calls[1:] == [("exchange", 0, [Acknowledged(2)])]
    stop = Answer(0, Decision.STOP)
    link.send(stop)
    link.flush()  # beside the call that waits for messages
    assert actor.calls[2:] == [("take", 1, [stop])]


def test_a_worker_that_is_told_to_quit_is_told_at_once(link):
    link, actor, collect = link
    link.flush()
    collect(said(Ready()))
    link.send(Quit())
    link.join(0.0)
    assert actor.calls[1:] == [("exchange", 0, [Quit()])]
