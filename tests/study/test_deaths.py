"""A search that is killed again and again, a full disk, and Ctrl-C twice."""

from __future__ import annotations

import pytest

from kerashpo.core.errors import DiskFull
from kerashpo.core.events import JobStarted, Reported, SessionEnded
from kerashpo.core.history import History
from kerashpo.core.records import Budget, Status
from kerashpo.schedulers.full_training import Full
from kerashpo.store.base import MemoryStore
from kerashpo.study.loop import DEATHS, Limits
from kerashpo.testing import CurveStudy
from kerashpo.testing.curve_runner import wave


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours may catch it."""


def search(curve=wave):
    return CurveStudy(lambda: Full(2), curve, limits=Limits(Budget(max_trials=3)))


def run(log, after=0, error=Killed):
    """Searches until trial 0 ends the process after some epochs; returns the log as it is then."""

    def deadly(config, epoch):
        if epoch > after:
            raise error("the end")
        return wave(config, epoch)

    kept = []
    with pytest.raises(error), pytest.MonkeyPatch.context() as patch:
        append = MemoryStore.append
        patch.setattr(MemoryStore, "append", lambda *given: kept.append(given[1]) or append(*given))
        search(deadly).run(log)
    return kept


def deaths(times, after=0, error=Killed):
    log = []
    for _ in range(times):
        log = run(log, after, error)
    return log


def test_a_trial_that_kills_the_search_again_and_again_is_given_up():
    log = deaths(DEATHS)
    assert History(log).trials[0].status is Status.RUNNING
    ended = search().run(log)
    trial = History(ended).trials[0]
    assert trial.status is Status.FAILED
    assert trial.failure.kind == "killed"
    assert f"killed {DEATHS} times" in trial.failure.message
    assert History(ended).trials[1].status is Status.COMPLETED


def test_one_death_less_is_borne():
    ended = search().run(deaths(DEATHS - 1))
    assert History(ended).trials[0].status is Status.COMPLETED


def test_an_epoch_in_between_begins_the_count_again():
    log = deaths(DEATHS - 1)
    log = run(log, after=1)
    assert any(isinstance(event, Reported) for event in log)
    ended = search().run(log)
    assert History(ended).trials[0].status is Status.COMPLETED


def assert_it_says_that_it_ends(log, reason):
    ends = [event for event in log if isinstance(event, SessionEnded)]
    assert {(event.reason, event.finished) for event in ends} == {(reason, False)}
    ended = search().run(log)
    assert History(ended).trials[0].status is Status.COMPLETED
    assert sum(isinstance(event, JobStarted) for event in ended) > DEATHS


def test_ctrl_c_twice_is_no_death():
    log = deaths(DEATHS + 1, error=KeyboardInterrupt)
    assert_it_says_that_it_ends(log, "interrupted")


def test_a_full_disk_is_no_death(monkeypatch):
    append, kept = MemoryStore.append, []

    def full(store, event):
        if isinstance(event, Reported):
            raise DiskFull("no room")
        kept.append(event)
        append(store, event)

    with monkeypatch.context() as patch:
        patch.setattr(MemoryStore, "append", full)
        for _ in range(DEATHS + 1):
            log, kept[:] = list(kept), []
            with pytest.raises(DiskFull):
                search().run(log)
    assert_it_says_that_it_ends(kept, "disk full")
