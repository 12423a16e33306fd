import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashpo.core.errors import InvalidInput
from kerashpo.core.history import History
from kerashpo.core.records import Budget, Status
from kerashpo.schedulers.asha import ASHA
from tests.helpers.replaying import NAN, Table, constant, jobs, play, play_here, settled, trained

VALUES = st.lists(st.integers(0, 5) | st.just(NAN), min_size=1, max_size=30)


def test_promotions_of_a_hand_made_example():
    table = Table(9, constant([5, 4, 3, 2, 1, 6, 7, 8, 9]))
    _, log = play(ASHA(9, factor=3), table)
    first = [("start", 0, 1), ("start", 1, 1), ("start", 2, 1), ("resume", 2, 3)]
    then = [("start", 3, 1), ("resume", 3, 3), ("start", 4, 1), ("resume", 4, 3)]
    # Three on the second rung: its best goes on at once, before anything new begins.
    last = [("resume", 4, 9), *(("start", n, 1) for n in (5, 6, 7, 8))]
    assert jobs(log) == [*first, *then, *last]


def test_the_trial_of_the_last_rung_is_completed_and_the_others_are_stopped():
    history, _ = play(ASHA(9, factor=3), Table(9, constant([5, 4, 3, 2, 1, 6, 7, 8, 9])))
    assert history.trials[4].status is Status.COMPLETED
    assert {t.status for n, t in history.trials.items() if n != 4} == {Status.STOPPED}
    assert history.trials[2].stopped_by_budget  # an extension could still promote it


@pytest.mark.parametrize(
    ("max_epochs", "factor", "min_epochs", "levels"),
    [
        (81, 3, 1, (1, 3, 9, 27, 81)),
        (243, 3, 1, (1, 3, 9, 27, 81, 243)),
        (1000, 10, 1, (1, 10, 100, 1000)),
        (50, 3, 1, (1, 3, 9, 27, 50)),
        (50, 3, 4, (4, 12, 36, 50)),
        (1, 3, 1, (1,)),
        (7, 4, 7, (7,)),
    ],
)
def test_rungs(max_epochs, factor, min_epochs, levels):
    plan = ASHA(max_epochs, factor, min_epochs, limit=1000).plan()
    assert tuple(rung.epochs for rung in plan.brackets[0]) == levels


def test_ties_go_to_the_lower_trial():
    _, log = play(ASHA(3, factor=3), Table(3, constant([1, 1, 1])))
    assert jobs(log)[-1] == ("resume", 0, 3)


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_failures_and_nan_rank_last(bad):
    values = [1.0, 1.0, 1.0]
    values[bad] = NAN
    _, log = play(ASHA(3, factor=3), Table(3, constant(values)))
    assert jobs(log)[-1] == ("resume", min({0, 1, 2} - {bad}), 3)
    failing = Table(3, constant([1.0, 1.0, 1.0]), fails={bad: 1})
    _, log = play(ASHA(3, factor=3), failing)
    assert jobs(log)[-1] == ("resume", min({0, 1, 2} - {bad}), 3)


def test_a_trial_that_fails_after_its_promotion_makes_room_for_the_next():
    table = Table(6, constant([1, 2, 3, 4, 5, 6]), fails={0: 2})
    history, log = play(ASHA(3, factor=3), table)
    assert history.trials[0].status is Status.FAILED
    assert ("resume", 1, 3) in jobs(log)


def test_early_stopping_counts_as_reaching_the_rungs_above():
    # Trial 0 ends by itself at epoch 1 and is the best: it stands on every rung untrained.
    table = Table(9, constant([0, 1, 2, 3, 4, 5, 6, 7, 8]), finishes={0: 1})
    history, log = play_here(ASHA(9, factor=3), table)
    assert history.trials[0].status is Status.COMPLETED
    assert history.trials[0].epochs == 1
    assert ("resume", 0, 3) not in jobs(log)
    assert ("resume", 1, 3) in jobs(log)
    assert settled(history)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
def test_a_small_search_ends_with_a_whole_training(size):
    history, _ = play(ASHA(27, factor=3), Table(size, constant(range(size))))
    assert history.trials[0].status is Status.COMPLETED
    assert history.trials[0].epochs == 27


def test_no_worker_idles_while_there_are_configurations():
    history, _ = play(ASHA(9, factor=3), Table(200, lambda i, e: i % 7), workers=8)
    assert history.now == pytest.approx(busy(history) / 8, rel=0.15)


def busy(history):
    return sum(trial.seconds for trial in history.trials.values())


@given(values=VALUES, workers=st.integers(1, 5), factor=st.integers(2, 4))
@settings(max_examples=50, deadline=None)
def test_no_epoch_beyond_the_plan_and_nothing_forgotten(values, workers, factor):
    scheduler = ASHA(9, factor, limit=len(values))
    history, log = play(scheduler, Table(len(values), constant(values)), workers=workers)
    assert history.epochs <= scheduler.plan().epochs
    assert len(history.trials) == scheduler.plan().trials
    assert settled(history)
    assert any(trial.epochs == 9 for trial in history.trials.values())
    assert trained(History(log)) == trained(history)


@given(data=st.data(), values=VALUES)
@settings(max_examples=50, deadline=None)
def test_cutting_the_log_anywhere_and_resuming_trains_the_same(data, values):
    fails = data.draw(st.dictionaries(st.integers(0, len(values) - 1), st.integers(1, 4)))
    table = Table(len(values), constant(values), fails)
    history, log = play(ASHA(9), table)
    cut = data.draw(st.integers(1, len(log)))
    again, second = play(ASHA(9), table, log=log[:cut])
    assert trained(again) == trained(history)
    assert settled(again)
    # Killed again while it resumed.
    third, _ = play(ASHA(9), table, log=second[: cut + data.draw(st.integers(0, 3))])
    assert trained(third) == trained(history)


@given(values=VALUES, limit=st.integers(1, 20), more=st.integers(0, 10))
@settings(max_examples=30, deadline=None)
def test_raising_max_trials_goes_on_with_what_was_given_up(values, limit, more):
    table = Table(len(values), constant(values))
    _, log = play(ASHA(9), table, budget=Budget(max_trials=limit))
    extended, _ = play(ASHA(9), table, log=log, budget=Budget(max_trials=limit + more))
    assert len(extended.trials) == min(len(values), limit + more)
    assert settled(extended)


@given(values=VALUES, budget=st.integers(1, 60), workers=st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_the_budget_of_epochs_is_exact(values, budget, workers):
    table = Table(len(values), constant(values))
    free, _ = play(ASHA(9), table, workers=workers)
    history, _ = play(
        ASHA(9, budget=budget), table, workers=workers, budget=Budget(max_epochs_total=budget)
    )
    assert history.epochs <= budget
    assert history.epochs == budget or history.epochs >= min(budget, 9)
    if workers == 1:
        assert history.epochs == min(budget, free.epochs)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"max_epochs": 0}, "max_epochs must be a whole number of at least 1"),
        ({"max_epochs": 9, "factor": 1}, "factor must be a whole number of at least 2"),
        ({"max_epochs": 9, "min_epochs": 0}, "min_epochs must be a whole number of at least 1"),
        ({"max_epochs": 9, "min_epochs": 10}, "min_epochs must not exceed max_epochs"),
    ],
)
def test_arguments_that_cannot_be_meant(arguments, told):
    with pytest.raises(InvalidInput, match=told):
        ASHA(**arguments)
