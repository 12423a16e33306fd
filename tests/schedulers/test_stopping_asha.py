import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashpo.core.events import Ended, JobStarted, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Decision, Report, Start, Status
from kerashpo.schedulers.asha import StoppingASHA
from kerashpo.testing.curve_study import CurveTable, all_ended, jobs

VALUES = st.lists(st.integers(0, 5) | st.just(math.nan), min_size=1, max_size=30)


def test_a_trial_outside_the_top_of_its_rung_is_stopped_there():
    history, log = CurveTable.flat([2, 3, 1, 4, 0]).search(lambda: StoppingASHA(9, factor=3)).play()
    # The first two have nothing to be compared with; then only a new leader continues.
    assert {n: t.epochs for n, t in history.trials.items()} == {0: 9, 1: 9, 2: 9, 3: 1, 4: 9}
    assert history.trials[3].status is Status.STOPPED
    assert history.trials[4].status is Status.COMPLETED
    assert all(kind == "start" and until == 9 for kind, _, until in jobs(log))


def test_nan_and_failures_rank_last():
    values = [math.nan, 1, 2, 3]
    history, _ = (
        CurveTable.flat(values, fails={1: 1}).search(lambda: StoppingASHA(9, factor=3)).play()
    )
    # Trial 2 is the best of three, since a NaN and a failure came before it.
    assert history.trials[2].epochs == 9
    assert history.trials[3].epochs == 1


@given(values=VALUES, workers=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_within_the_plan_and_nothing_forgotten(values, workers):
    scheduler = StoppingASHA(9, limit=len(values))
    history, _ = CurveTable.flat(values).search(lambda: scheduler, workers=workers).play()
    assert history.epochs <= scheduler.plan().epochs
    assert len(history.trials) == scheduler.plan().trials
    assert all_ended(history)


def fold(history, scheduler, trial, run, epochs, value):
    """Reports the epochs of one fold; returns what the scheduler says."""
    decisions = []
    for epoch in range(1, epochs + 1):
        event = Reported(Report(trial, run, epoch, {"loss": value}, 0.0))
        history.apply(event)
        decisions += scheduler.on_event(event, history)
    return decisions


def test_a_further_fold_begins_only_after_a_good_mean():
    scheduler, settings = StoppingASHA(3, factor=2), {"runs": 3}
    events = [StudyCreated({"params": []}, (("loss", "min"),), 0, settings)]
    history = History(events)
    for trial in range(3):
        event = JobStarted(Start(trial, {}, 3))
        history.apply(event)
        scheduler.on_event(event, history)
    # The first has nothing to be compared with, at no rung and after no fold.
    assert [fold(history, scheduler, 0, run, 3, 1.0) for run in range(3)] == [[], [], []]
    # The second leads after its first fold; with its second one the mean is worse.
    assert fold(history, scheduler, 1, 0, 3, 0.5) == []
    assert fold(history, scheduler, 1, 1, 3, 2.0) == [(1, Decision.STOP)]
    assert fold(history, scheduler, 2, 0, 1, 3.0) == [(2, Decision.STOP)]
    history.apply(Ended(1, Status.STOPPED, "rung"))
    assert history.trials[1].pruned and history.rank(1)[0] == float("inf")
    assert history.best.number == 0


@given(data=st.data(), values=VALUES)
@settings(max_examples=30, deadline=None)
def test_cutting_the_log_anywhere_and_resuming_trains_the_same(data, values):
    table = CurveTable.flat(values)
    history, log = table.search(lambda: StoppingASHA(9)).play()
    again, _ = table.search(lambda: StoppingASHA(9)).play(
        log[: data.draw(st.integers(1, len(log)))]
    )
    assert {n: t.epochs for n, t in again.trials.items()} == {
        n: t.epochs for n, t in history.trials.items()
    }


@pytest.mark.parametrize(
    ("bounds", "trials", "epochs"),
    [
        ({}, None, None),
        ({"limit": 10}, 10, 90),
        ({"budget": 40}, None, 40),
        ({"limit": 10, "budget": 40}, 10, 40),
    ],
)
def test_plan(bounds, trials, epochs):
    plan = StoppingASHA(9, **bounds).plan()
    assert (plan.trials, plan.epochs) == (trials, epochs)
    assert "after epochs: 1, 3" in plan.notes[0]
