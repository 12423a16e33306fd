import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashpo.core.records import Status
from kerashpo.schedulers.stopping import StoppingASHA
from tests.schedulers.replaying import NAN, Table, constant, jobs, play, settled

VALUES = st.lists(st.integers(0, 5) | st.just(NAN), min_size=1, max_size=30)


def test_a_trial_outside_the_top_of_its_rung_is_stopped_there():
    history, log = play(StoppingASHA(9, factor=3), Table(5, constant([2, 3, 1, 4, 0])))
    # The first two have nothing to be compared with; then only a new leader goes on.
    assert {n: t.epochs for n, t in history.trials.items()} == {0: 9, 1: 9, 2: 9, 3: 1, 4: 9}
    assert history.trials[3].status is Status.STOPPED
    assert history.trials[4].status is Status.COMPLETED
    assert all(kind == "start" and until == 9 for kind, _, until in jobs(log))


def test_nan_and_failures_rank_last():
    values = [NAN, 1, 2, 3]
    history, _ = play(StoppingASHA(9, factor=3), Table(4, constant(values), fails={1: 1}))
    # Trial 2 is the best of three, since a NaN and a failure came before it.
    assert history.trials[2].epochs == 9
    assert history.trials[3].epochs == 1


@given(values=VALUES, workers=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_within_the_plan_and_nothing_forgotten(values, workers):
    scheduler = StoppingASHA(9, limit=len(values))
    history, _ = play(scheduler, Table(len(values), constant(values)), workers=workers)
    assert history.epochs <= scheduler.plan().epochs
    assert len(history.trials) == scheduler.plan().trials
    assert settled(history)


@given(data=st.data(), values=VALUES)
@settings(max_examples=30, deadline=None)
def test_cutting_the_log_anywhere_and_resuming_trains_the_same(data, values):
    table = Table(len(values), constant(values))
    history, log = play(StoppingASHA(9), table)
    again, _ = play(StoppingASHA(9), table, log=log[: data.draw(st.integers(1, len(log)))])
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
