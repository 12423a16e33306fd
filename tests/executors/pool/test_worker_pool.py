"""The pool's policy over another transport than pipes: threads, lost nodes, slow starts."""

from __future__ import annotations

import time
from functools import partial

import pytest

from kerashpo.core.errors import WorkerLost
from kerashpo.core.events import Noted, Reached
from kerashpo.executors.messages import Failed
from kerashpo.executors.pool.losses import LIVES
from kerashpo.executors.pool.transport import Loss
from kerashpo.executors.pool.worker_pool import PoolSettings, WorkerPool
from kerashpo.store.blobs import FileBlobs
from kerashpo.testing.curve_runner import CurveRunner
from kerashpo.testing.executors import CHECKS
from tests.helpers.executor_cases import Driver, slow, unbroken
from tests.helpers.thread_transport import ThreadTransport

NODE = Loss("its node was lost", counts=False)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("waits", [True, False], ids=["waiting", "ahead"])
@pytest.mark.parametrize("certain", [True, False], ids=["certain", "uncertain"])
def test_another_transport_keeps_what_executors_promise(check, waits, certain):
    settings = PoolSettings(waits)

    def pool(make, blobs):
        return WorkerPool(ThreadTransport(make, certain=certain), settings, blobs)

    check(pool)


@pytest.fixture
def start(tmp_path):
    """Starts pools of threads on curves, and closes them."""
    made = []

    def begin(curve=slow, workers=1, **options):
        runner = partial(CurveRunner, curve, FileBlobs(tmp_path / "blobs"))
        transport = ThreadTransport(runner, workers, **options)
        made.append(WorkerPool(transport))
        return Driver(made[-1]), transport

    yield begin
    for executor in made:
        executor.close()


def test_each_trial_at_work_has_a_worker_of_its_own(start):
    driver, _ = start(workers=2)
    driver.start(0, until=3)
    driver.start(1, until=3)
    driver.until(lambda: len(driver.executor.assignments()) == 2)
    assert set(driver.executor.assignments()) == {0, 1}
    assert sorted(driver.executor.assignments().values()) == [0, 1]
    driver.drain()
    assert driver.executor.assignments() == {}


def lose(driver, transport, loss):
    """Loses the worker of trial 0 once it has reported an epoch of the present attempt."""
    seen = len(driver.epochs(0))
    driver.until(lambda: len(driver.epochs(0)) > seen)
    transport.links[-1].lose(loss)
    count = len(transport.links)
    driver.until(lambda: len(transport.links) > count)


def test_lost_nodes_do_not_count_towards_a_trials_lives(start):
    driver, transport = start()
    driver.start(0, until=2 * LIVES + 4)
    for _ in range(LIVES + 2):
        lose(driver, transport, NODE)
    driver.drain()
    assert driver.end(0) == Reached(0)
    assert driver.values(0) == unbroken(0, 2 * LIVES + 4)
    notes = [m.facts for m in driver.messages if isinstance(m, Noted)]
    assert len(notes) == LIVES + 2
    assert {note["worker_lost"] for note in notes} == {NODE.text}
    assert {note["workers_lost"] for note in notes} == {0}


@pytest.mark.parametrize(("counts", "fails"), [(True, True), (False, False)])
def test_the_transport_says_whether_a_loss_counts(start, counts, fails):
    """The trial loses its workers before its first epoch, LIVES times."""
    driver, transport = start(partial(blocked, transport_gate := []))
    driver.start(0, until=1)
    for _ in range(LIVES):
        count = len(transport.links)
        driver.until(lambda: driver.executor.busy() == 1)
        transport.links[-1].lose(Loss("it was switched off", counts))
        driver.until(lambda count=count: len(transport.links) > count)
    transport_gate.append("open")
    driver.drain()
    last = driver.end(0)
    assert isinstance(last, Failed) is fails
    if fails:
        assert f"{LIVES} workers were lost" in last.failure.message
        assert "it was switched off" in last.failure.message


def blocked(gate, config, epoch):
    """Trains only once the gate is open; the first attempts wait for their end."""
    deadline = time.monotonic() + 2.0
    while not gate and time.monotonic() < deadline:
        time.sleep(0.01)
    return 1.0


def test_workers_that_may_not_come_count_as_free_once_they_are_ready(start):
    driver, _ = start(workers=2, certain=False)
    assert driver.executor.free() == 0
    driver.until(lambda: driver.executor.free() == 2)  # polling starts them


def test_a_worker_that_hangs_while_it_starts_is_replaced_and_then_reported():
    def hang():
        time.sleep(1.0)
        return CurveRunner()

    transport = ThreadTransport(hang, workers=1, start_limit=0.05)
    pool = WorkerPool(transport)
    driver = Driver(pool)
    driver.start(0, until=1)
    with pytest.raises(WorkerLost, match=r"was not ready 0.05 s after its start and was ended"):
        driver.drain()
    assert len(transport.links) == LIVES
    pool.close()


def test_workers_come_and_go_with_the_transport(start):
    driver, transport = start(workers=1, certain=False)
    driver.until(lambda: driver.executor.free() == 1)
    driver.start(0, until=30)
    transport.workers = 3
    driver.until(lambda: driver.executor.free() == 2)
    driver.start(1, until=2)
    transport.workers = 1  # the one that trains longest stays
    driver.until(lambda: Reached(0) in driver.messages and driver.executor.ready == 1)
    assert driver.values(0) == unbroken(0, 30) and driver.values(1) == unbroken(1, 2)
    assert {link.pending for link in transport.links} == {True, False}  # those that left ended


def test_a_lost_worker_is_not_replaced_where_there_is_no_room(start):
    driver, transport = start(workers=2, certain=False)
    driver.until(lambda: driver.executor.free() == 2)
    transport.workers = 1
    transport.links[0].lose(NODE)
    driver.until(lambda: driver.executor.ready == 1)
    assert len(transport.links) == 2
