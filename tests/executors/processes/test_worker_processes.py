"""Worker processes that die, hang, grow or change places; nothing here imports Keras."""

from __future__ import annotations

import errno
import os
import signal
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from kerashpo.core.errors import DiskFull, InvalidInput, WorkerLost
from kerashpo.core.events import Noted, Reached, Reported
from kerashpo.core.records import Decision
from kerashpo.executors.messages import Failed
from kerashpo.executors.pool.losses import LIVES
from kerashpo.executors.pool.worker_pool import WorkerPool
from kerashpo.executors.processes.pipe_transport import ProcessLink, ProcessTransport
from kerashpo.executors.processes.resources import available_cores, places
from kerashpo.store.blobs import FileBlobs
from kerashpo.testing.curve_runner import CurveRunner
from tests.helpers.executor_cases import (
    DiesAfterwards,
    Driver,
    ends_children,
    grows,
    hangs,
    kills_its_worker,
    placed,
    pool,
    slow,
    unbroken,
)


@pytest.fixture
def start(tmp_path):
    """Starts executors on curves, and closes them."""
    made = []

    def make(curve=slow, workers=1, **settings):
        runner = partial(CurveRunner, curve, FileBlobs(tmp_path / "blobs"))
        made.append(pool(runner, workers, tmp_path / "logs", **settings))
        return Driver(made[-1])

    yield make
    for executor in made:
        executor.close()


def at_work(driver, trial):
    return next((pid for pid, at in driver.executor.assigned.items() if at == trial), None)


def test_no_process_is_started_before_the_first_task(start):
    driver = start(workers=2)
    assert driver.executor.free() == 2
    driver.executor.poll(driver.messages.append)  # returns though no one could ever speak
    assert driver.executor.assigned == {}


def test_killed_workers_are_replaced_and_their_trial_continues(start):
    driver = start(workers=2)
    driver.start(0, until=30)
    driver.start(1, until=5)
    victims = []
    for mark in range(3, 3 + 5 * (LIVES + 1), 5):
        driver.until(lambda mark=mark: max(driver.values(0), default=0) >= mark)
        victims.append(at_work(driver, 0))
        os.kill(victims[-1], signal.SIGKILL)
    driver.drain()
    assert driver.end(0) == Reached(0) and driver.end(1) == Reached(1)
    assert driver.values(0) == unbroken(0, 30)
    # It continued from its checkpoint: at most the epoch in progress was reported twice.
    assert len(driver.epochs(0)) <= 30 + len(victims)
    notes = [m.facts for m in driver.messages if isinstance(m, Noted)]
    # It got further each time, so it is not what kills them.
    assert [note["workers_lost"] for note in notes] == [1] * len(victims)
    assert all("SIGKILL" in note["worker_lost"] for note in notes)
    assert not set(victims) & set(driver.executor.assigned) and len(driver.executor.assigned) == 2


def test_a_trial_that_kills_every_worker_fails_and_the_next_one_trains(start):
    driver = start(kills_its_worker)
    driver.start(0, until=4)
    driver.drain()
    failed = driver.end(0)
    assert isinstance(failed, Failed) and failed.failure.kind == "killed"
    assert f"{LIVES} workers were lost" in failed.failure.message
    assert "SIGKILL" in failed.failure.message
    assert driver.values(0) == unbroken(0, 1)
    driver.start(1, until=4)
    driver.drain()
    assert driver.end(1) == Reached(1)


def test_a_trial_that_was_over_when_its_worker_died_is_not_trained_again():
    driver = Driver(pool(DiesAfterwards))
    for trial in (0, 1):
        driver.start(trial, until=2)
        driver.drain()
    assert [type(m) for m in driver.messages] == [Reported, Reported, Reached] * 2
    driver.executor.close()


def test_a_worker_that_hangs_is_ended_and_its_trial_continues(start, tmp_path):
    driver = start(hangs, timeout=1.0)
    driver.start(0, until=3, mark=str(tmp_path / "hung"))
    driver.drain()
    assert driver.end(0) == Reached(0)
    assert driver.values(0) == unbroken(0, 3)
    (note,) = [m.facts for m in driver.messages if isinstance(m, Noted)]
    assert note["worker_lost"] == "it reported no epoch for 1 s (trial_timeout) and was ended"


def test_a_paused_trial_continues_in_another_worker(start):
    driver = start(workers=2)
    driver.executor.start()
    driver.until(lambda: driver.executor.ready == 2)
    driver.start(0, until=2)
    holder = at_work(driver, 0)
    driver.drain()
    for trial in (1, 2):
        driver.start(trial, until=400)
    at_holder = driver.executor.assigned[holder]
    driver.executor.decide(3 - at_holder, Decision.STOP)  # only the holder has work now
    driver.until(lambda: driver.executor.busy() == 1)
    driver.resume(0, until=4)
    assert driver.executor.assigned[holder] == at_holder and at_work(driver, 0) not in (
        None,
        holder,
    )
    driver.executor.decide(at_holder, Decision.STOP)
    driver.drain()
    assert driver.epochs(0) == [1, 2, 3, 4]
    assert driver.values(0) == unbroken(0, 4)


def test_a_paused_trial_continues_where_it_is_in_memory(start):
    driver = start(workers=2)
    driver.executor.start()
    driver.until(lambda: driver.executor.ready == 2)
    driver.start(0, until=20)
    driver.start(1, until=2)
    holder = at_work(driver, 1)
    driver.drain()
    driver.resume(1, until=30)
    assert at_work(driver, 1) == holder


def test_a_worker_that_grew_too_large_is_replaced_between_trials(start):
    driver = start(grows, max_memory=15 * 10**7)
    seen = []
    for trial in (1, 0, 2):
        driver.start(trial, until=1)
        driver.drain()
        assert driver.end(trial) == Reached(trial)
        seen += driver.executor.assigned
    # Trial 0 made it grow; what the others need is on disk.
    assert seen[0] != seen[1] == seen[2]


def test_a_bound_below_what_a_worker_needs_is_refused(start):
    driver = start(max_memory=10**6)
    driver.start(0, until=1)
    with pytest.raises(InvalidInput, match=r"before it trains anything.*max_worker_memory \(1 MB"):
        driver.drain()


def test_a_worker_takes_some_memory_and_no_keras(start):
    driver = start()
    driver.start(0, until=1)
    driver.drain()
    (pid,) = driver.executor.assigned
    assert 10**6 < psutil.Process(pid).memory_info().rss < 2 * 10**8


@pytest.mark.parametrize("error", [InvalidInput, DiskFull])
def test_an_error_of_ours_in_a_worker_is_raised_here(error):
    def make():
        raise error("what the runner expects")

    executor = pool(make)
    driver = Driver(executor)
    driver.start(0, until=1)
    with pytest.raises(error, match="what the runner expects"):
        driver.drain()
    executor.close()


def test_a_disk_that_is_full_before_the_workers_start_is_reported_as_that(tmp_path, monkeypatch):
    def full(path, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    executor = pool(CurveRunner, logs=tmp_path / "logs")
    with pytest.raises(DiskFull, match="Free some space"):
        executor.start()
    executor.close()
    assert executor.assigned == {}


def test_an_error_outside_any_trial_is_reported_with_its_traceback():
    def make():
        raise RuntimeError("no such device")

    executor = pool(make)
    driver = Driver(executor)
    driver.start(0, until=1)
    with pytest.raises(WorkerLost, match="(?s)outside any trial.*Traceback.*no such device"):
        driver.drain()
    executor.close()


def test_workers_that_cannot_start_are_reported_with_their_output():
    def make():
        print("the last words", flush=True)
        os._exit(7)

    executor = pool(make)
    driver = Driver(executor)
    driver.start(0, until=1)
    with pytest.raises(WorkerLost, match="(?s)3 workers in a row.*exit code 7.*the last words"):
        driver.drain()
    executor.close()


def test_a_recipe_that_cannot_be_sent_is_refused_with_its_name():
    stream = (i for i in range(3))
    with pytest.raises(InvalidInput, match="(?s)the data cannot be sent.*generator.*workers=1"):
        pool(lambda: stream, parts={"the code": 1, "the data": stream})


def test_a_worker_stays_on_its_cores_and_sees_its_threads_and_its_gpu():
    dealt = places(2, available_cores(), ["3", "5"])
    driver = Driver(WorkerPool(ProcessTransport(partial(CurveRunner, placed), dealt)))
    driver.executor.start()
    driver.until(lambda: driver.executor.ready == 2)
    for trial in (0, 1):
        driver.start(trial, until=20)
    driver.drain()
    driver.executor.close()
    seen = {tuple(m.report.metrics.items()) for m in driver.messages if isinstance(m, Reported)}
    assert seen == {
        (
            ("value", 0.0),
            ("first", float(min(place.cores or available_cores()))),
            ("cores", float(len(place.cores or available_cores()))),
            ("threads", float(place.threads)),
            ("gpu", float(place.gpu)),
        )
        for place in dealt
    }


def test_children_of_a_worker_can_be_ended(start):
    driver = start(ends_children)
    driver.start(0, until=1)
    driver.drain()
    assert driver.values(0) == {1: 2.0}


def test_ctrl_c_while_workers_end_leaves_none(start, monkeypatch):
    driver = start(workers=2)
    driver.start(0, until=1)
    driver.drain()
    pids = list(driver.executor.assigned)

    def interrupted(link, seconds):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(ProcessLink, "join", interrupted)
        driver.executor.close()
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_close_ends_every_process(start):
    driver = start(workers=2)
    driver.start(0, until=10_000)
    driver.start(1, until=1)
    driver.until(lambda: len(driver.epochs(0)) > 1 and driver.executor.busy() == 1)
    pids = list(driver.executor.assigned)
    began = time.monotonic()
    driver.executor.close()
    assert time.monotonic() - began < 4.0
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_stopped_trial_says_no_more_and_frees_its_checkpoint(start, tmp_path):
    driver = start()
    driver.start(0, until=10_000)
    driver.until(lambda: len(driver.epochs(0)) > 2)
    driver.executor.decide(0, Decision.STOP)
    said = len(driver.messages)
    driver.drain()
    assert len(driver.messages) == said
    assert FileBlobs(tmp_path / "blobs").stored() == ()


def test_a_queued_task_can_be_stopped_before_it_begins(start):
    driver = start()
    driver.start(0, until=5)  # the worker is not up yet, so the task waits
    driver.executor.decide(0, Decision.STOP)
    assert driver.executor.free() == 1
    driver.start(1, until=1)
    driver.drain()
    assert driver.epochs(0) == [] and driver.epochs(1) == [1]
