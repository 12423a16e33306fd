"""Where a study stands at any point of its log."""

from __future__ import annotations

import pytest

from kerashpo.core.events import Ended, JobStarted, Reached, SessionEnded
from kerashpo.core.history import History
from kerashpo.core.records import Budget, Decision
from kerashpo.schedulers.hyperband import Hyperband
from kerashpo.study.loop import Limits
from kerashpo.study.state import StudyState
from kerashpo.testing import CurveStudy


@pytest.fixture(scope="module")
def log():
    return CurveStudy(lambda: Hyperband(9, 3), limits=Limits(Budget(max_trials=11))).run()


def state(events):
    return StudyState(Hyperband(9, 3), events)


def test_its_history_is_the_fold_of_the_log(log):
    for cut in range(1, len(log)):
        ours, theirs = state(log[:cut]).history, History(log[:cut])
        assert ours.trials == theirs.trials
        assert (ours.now, ours.running, ours.paused) == (theirs.now, theirs.running, theirs.paused)


def test_a_decision_is_owed_until_the_log_holds_it(log):
    pending = [state(log[:cut]).pending_decisions for cut in range(1, len(log) + 1)]
    for cut, event in enumerate(log):
        if isinstance(event, Ended) and event.reason in ("rung", "completed"):
            assert pending[cut - 1][event.trial] is Decision.STOP
            assert event.trial not in pending[cut]
    assert pending[-1] == {}


def test_a_job_is_unfinished_until_its_end_was_reached(log):
    for cut, event in enumerate(log, 1):
        unfinished = state(log[:cut]).unfinished
        if isinstance(event, JobStarted):
            assert event.trial in unfinished
        if isinstance(event, Reached):
            assert event.trial not in unfinished


def test_a_session_that_does_not_say_that_it_ends_was_interrupted(log):
    assert isinstance(log[-1], SessionEnded)
    assert [state(log[:cut]).interrupted for cut in (len(log) - 1, len(log))] == [True, False]
    assert state(CurveStudy(lambda: Hyperband(9, 3)).run(log)).interrupted is False
