"""Workers that dial in: the suite of executors, keys, lost and terminated workers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from functools import partial

import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Noted, Reached
from kerashpo.executors.dial.factory import Dial
from kerashpo.executors.dial.keys import read_key, write_key
from kerashpo.executors.dial.reception import Reception
from kerashpo.executors.dial.transport import DialTransport
from kerashpo.executors.dial.worker import read_address, run_worker
from kerashpo.executors.factories import ExecutorRequest
from kerashpo.executors.pool.worker_pool import PoolSettings, WorkerPool
from kerashpo.executors.registry import executor_factory
from kerashpo.store.blobs import FileBlobs
from kerashpo.testing.curve_runner import CurveRunner
from kerashpo.testing.executors import CHECKS
from tests.helpers.executor_cases import Driver, slow, unbroken

KEY = b"a key that only these tests have"


class Hosts:
    """Starts worker processes, and ends them with the test."""

    def __init__(self, folder):
        self.processes, self._key = [], folder / "worker.key"
        self._key.write_bytes(KEY)
        self._key.chmod(0o600)

    def dial(self, port, count=1):
        command = [sys.executable, "-m", "kerashpo.cli", "worker", f"127.0.0.1:{port}"]
        command += ["--key-file", str(self._key)]
        for _ in range(count):
            self.processes.append(subprocess.Popen(command, stderr=subprocess.PIPE))

    def end(self):
        for process in self.processes:
            process.kill()
            process.communicate()


@pytest.fixture
def hosts(tmp_path):
    made = Hosts(tmp_path)
    yield made
    made.end()


def pids(executor):
    return {int(name.split(":")[1]): trial for name, trial in executor.assigned.items()}


def dialled(make, blobs, settings=PoolSettings()):
    reception = Reception("127.0.0.1", 0, KEY, blobs)
    pool = WorkerPool(DialTransport(reception, make, local=blobs), settings, blobs)
    return pool, reception.address[1]


SHORT = ("reports_epochs_in_order", "continues_after_a_pause", "forks_outlive_their_parent")


@pytest.mark.parametrize("check", [c for c in CHECKS if c.__name__ in SHORT])
def test_dial_keeps_what_executors_promise(check, hosts):
    def pool(make, blobs):
        executor, port = dialled(make, blobs, PoolSettings(waits=True))
        hosts.dial(port)
        return executor

    check(pool)


def test_workers_come_are_killed_and_leave(tmp_path, hosts):
    blobs = FileBlobs(tmp_path)
    executor, port = dialled(partial(CurveRunner, slow, blobs), blobs)
    try:
        driver = Driver(executor)
        driver.until(lambda: executor.fleet() is not None and executor.fleet().waiting == 1)
        hosts.dial(port, 2)
        driver.until(lambda: executor.free() == 2)
        driver.start(0, until=60)
        driver.until(lambda: len(driver.epochs(0)) > 2)
        for number in (signal.SIGKILL, signal.SIGTERM):
            pid = next(pid for pid, trial in pids(executor).items() if trial == 0)
            os.kill(pid, number)
            driver.until(
                lambda pid=pid: pid not in {int(n.split(":")[1]) for n in executor.assigned}
            )
            hosts.dial(port)
        driver.until(lambda: Reached(0) in driver.messages)
        driver.until(lambda: executor.free() == 2)  # the last one may still be on its way
        assert driver.values(0) == unbroken(0, 60)
        notes = [m.facts for m in driver.messages if isinstance(m, Noted)]
        name = socket.gethostname()
        assert [note["worker_lost"] for note in notes] == [
            f"its connection from {name} ended",
            f"its job on {name} was ended",
        ]
    finally:
        executor.close()
    assert [process.wait(20) for process in hosts.processes[2:]] == [0, 0]


def test_another_key_is_refused_on_both_sides(tmp_path):
    reception = Reception("127.0.0.1", 0, KEY, None)
    with pytest.raises(InvalidInput, match="has another key"):
        run_worker(*reception.address, b"a key of somebody else", 1.0)
    assert not reception.waiting
    reception.close()
    with pytest.raises(InvalidInput, match=r"No search listens.*--wait"):
        run_worker(*reception.address, KEY, 0.0)


def test_a_worker_with_other_versions_is_refused_by_name(monkeypatch, tmp_path):
    from kerashpo.executors.dial import worker

    monkeypatch.setattr(worker, "versions", lambda: {"python": "2.7"})
    executor, port = dialled(partial(CurveRunner), None)
    executor.start()
    with pytest.raises(InvalidInput, match=r"The worker on .* has python 2.7 instead of"):
        run_worker("127.0.0.1", port, KEY, 5.0)
    with pytest.raises(InvalidInput, match="python 2.7"):
        executor.poll(print, timeout=5.0)
    executor.close()


def test_keys_are_for_their_owner(tmp_path):
    path = tmp_path / "key"
    write_key(path)
    assert len(read_key(path)) == 64 and path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(InvalidInput, match="Other users can read"):
        read_key(path)
    path.write_text("short")
    with pytest.raises(InvalidInput, match="at least 16 characters"):
        read_key(path)
    with pytest.raises(InvalidInput, match="cannot be read.*openssl rand"):
        read_key(tmp_path / "none")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"host": "0.0.0.0"}, "need a key: who connects can run code"),
        ({"port": 70000}, "port must be at most 65535"),
        ({"workers": 0}, "workers must be a whole number of at least 1"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        Dial(**arguments)


def test_the_note_has_the_command_and_the_key_goes_with_the_search(tmp_path):
    request = ExecutorRequest(lambda workers: partial(CurveRunner), logs=tmp_path / "logs")
    executor, _, notes = Dial().build(request)
    assert len(notes) == 1 and str(tmp_path / "worker.key") in notes[0]
    executor.start()
    executor.close()
    assert not (tmp_path / "worker.key").exists()
    write_key(tmp_path / "mine")
    executor, _, notes = Dial(host="0.0.0.0", key_file=tmp_path / "mine").build(request)
    executor.close()
    assert "not encrypted" in notes[1] and (tmp_path / "mine").exists()


def test_executor_names_it():
    assert isinstance(executor_factory(1, "dial")[0], kt.executors.Dial)


def test_an_address_is_host_and_port():
    assert read_address("node7:4100") == ("node7", 4100)
    with pytest.raises(InvalidInput, match="HOST:PORT.*'node7'"):
        read_address("node7")
