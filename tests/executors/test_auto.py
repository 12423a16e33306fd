"""`workers="auto"`: when worker processes pay, and going over to them."""

from __future__ import annotations

import math
import time
from functools import partial
from types import SimpleNamespace

import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Noted, Reported
from kerashpo.core.records import Report
from kerashpo.executors import auto
from kerashpo.executors.auto import START_SECONDS, AutoExecutor, Pace, weigh
from kerashpo.executors.serial import SerialExecutor
from kerashpo.store.blobs import FileBlobs
from kerashpo.testing.curve_runner import CurveRunner
from tests.helpers.executor_cases import Driver, pool, slow, unbroken

HUNDREDTH = Pace(epochs=100, seconds=1.0, cpu=1.0)


def test_little_left_is_not_worth_a_start():
    offer = weigh(HUNDREDTH, left=1000, workers=4, capacity=4)
    assert (offer.here, offer.there) == (10.0, START_SECONDS + 2.5)
    assert not offer.pays


def test_much_left_is():
    offer = weigh(HUNDREDTH, left=10_000, workers=4, capacity=4)
    assert offer.pays
    assert str(offer) == (
        "4 worker processes from here on: an epoch takes 0.01 s and 10000 epochs are left: "
        "about 33 s instead of 100 s"
    )


def test_a_process_that_fills_the_machine_gains_nothing():
    full = Pace(epochs=100, seconds=1.0, cpu=4.0)
    assert not weigh(full, left=10**9, workers=4, capacity=4).pays
    half = Pace(epochs=100, seconds=1.0, cpu=2.0)
    assert weigh(half, left=10_000, workers=4, capacity=4).there == START_SECONDS + 50.0


def test_a_busy_machine_starts_them_more_slowly():
    shared = Pace(epochs=100, seconds=4.0, cpu=1.0)
    assert weigh(shared, left=1000, workers=4, capacity=4).there == 4 * START_SECONDS + 10.0
    waiting = Pace(epochs=100, seconds=1.0, cpu=0.001)
    assert weigh(waiting, left=1000, workers=4, capacity=4).there == 5 * START_SECONDS + 2.5


def test_a_search_without_end_pays_unless_nothing_is_gained():
    assert weigh(HUNDREDTH, math.inf, workers=2, capacity=2).pays
    assert "epochs without end are left" in str(weigh(HUNDREDTH, math.inf, 2, 2))
    assert not weigh(Pace(100, 1.0, 2.0), math.inf, workers=2, capacity=2).pays


@pytest.mark.parametrize(("epochs", "workers"), [(3, 4), (100, 1)])
def test_nothing_is_said_before_enough_is_known(epochs, workers):
    assert weigh(Pace(epochs, 1.0, 1.0), 10**9, workers, capacity=4) is None


def automatic(tmp_path, left, hire=None):
    runner = partial(CurveRunner, slow, FileBlobs(tmp_path / "blobs"))
    hire = hire or (lambda: pool(runner, 2))
    executor = AutoExecutor(SerialExecutor(runner()), hire, 2, capacity=2.0, left=lambda: left)
    return Driver(executor)


def notes(driver):
    return [m.facts for m in driver.messages if isinstance(m, Noted)]


def test_a_short_search_stays_in_this_process(tmp_path):
    driver = automatic(tmp_path, left=10)
    for trial in range(3):
        driver.start(trial, until=15)
        driver.drain()
    assert notes(driver) == []
    driver.executor.close()


def test_a_long_search_goes_over_and_trials_continue_there(tmp_path):
    driver = automatic(tmp_path, left=10**6)
    for trial in range(2):
        driver.start(trial, until=25)
        driver.drain()
    (note,) = notes(driver)
    assert note["workers"] == 2 and "1000000 epochs are left" in note["workers_reason"]
    deadline = time.monotonic() + 30
    while driver.executor.free() == 1 and time.monotonic() < deadline:
        driver.start(len(driver.messages), until=1)  # this process trains on while they start
        driver.executor.poll(driver.messages.append)
    assert driver.executor.free() == 2
    driver.resume(0, until=27)
    driver.resume(1, until=27)
    driver.until(lambda: driver.executor.free() == 2)
    assert driver.values(0) == unbroken(0, 27) and driver.values(1) == unbroken(1, 27)
    driver.executor.close()


def test_workers_that_cannot_be_had_leave_it_in_this_process(tmp_path):
    def hire():
        raise InvalidInput("build_model cannot be sent there")

    driver = automatic(tmp_path, 10**6, hire)
    for trial in range(3):
        driver.start(trial, until=25)
        driver.drain()
    (note,) = notes(driver)
    assert note == {
        "workers": 1,
        "workers_reason": "this process alone: build_model cannot be sent there",
    }
    assert driver.values(2) == unbroken(2, 25)
    driver.executor.close()


def test_what_counts_is_the_time_between_the_epochs_of_a_trial(monkeypatch):
    now = [0.0]
    clock = SimpleNamespace(perf_counter=lambda: now[0], process_time=lambda: now[0])
    monkeypatch.setattr(auto, "time", clock)

    class Here:
        """Sets a trial up in 5 s, then trains four epochs in 0.1 s each."""

        trial = 0

        def poll(self, handle, timeout=None):
            self.trial, now[0] = self.trial + 1, now[0] + 5.0
            for epoch in range(1, 5):
                now[0] += 0.1
                handle(Reported(Report(self.trial, 0, epoch, {}, 0.0)))

    executor = auto.AutoExecutor(Here(), lambda: None, 2, 2.0, lambda: 10.0, patience=1)
    for _ in range(4):
        executor.poll(lambda message: None)
    assert executor._pace.epochs == 9
    assert executor._pace.seconds == pytest.approx(0.9)
