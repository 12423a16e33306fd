import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashpo.algorithms.grid import GridSearch
from kerashpo.core.errors import InvalidInput
from kerashpo.core.history import History
from kerashpo.core.records import Budget, Status
from kerashpo.schedulers.asha import ASHA
from kerashpo.space import Space, integer
from kerashpo.testing.curve_study import CurveStudy, CurveTable, all_ended, jobs, trained

VALUES = st.lists(st.integers(0, 5) | st.just(math.nan), min_size=1, max_size=30)


def test_promotions_of_a_hand_made_example():
    table = CurveTable.flat([5, 4, 3, 2, 1, 6, 7, 8, 9])
    _, log = table.search(lambda: ASHA(9, factor=3)).play()
    first = [("start", 0, 1), ("start", 1, 1), ("start", 2, 1), ("resume", 2, 3)]
    then = [("start", 3, 1), ("resume", 3, 3), ("start", 4, 1), ("resume", 4, 3)]
    # Three on the second rung: its best continues at once, before anything new begins.
    last = [("resume", 4, 9), *(("start", n, 1) for n in (5, 6, 7, 8))]
    assert jobs(log) == [*first, *then, *last]


def test_the_trial_of_the_last_rung_is_completed_and_the_others_are_stopped():
    history, _ = (
        CurveTable.flat([5, 4, 3, 2, 1, 6, 7, 8, 9]).search(lambda: ASHA(9, factor=3)).play()
    )
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
    _, log = CurveTable.flat([1, 1, 1]).search(lambda: ASHA(3, factor=3)).play()
    assert jobs(log)[-1] == ("resume", 0, 3)


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_failures_and_nan_rank_last(bad):
    values = [1.0, 1.0, 1.0]
    values[bad] = math.nan
    _, log = CurveTable.flat(values).search(lambda: ASHA(3, factor=3)).play()
    assert jobs(log)[-1] == ("resume", min({0, 1, 2} - {bad}), 3)
    failing = CurveTable.flat([1.0, 1.0, 1.0], fails={bad: 1})
    _, log = failing.search(lambda: ASHA(3, factor=3)).play()
    assert jobs(log)[-1] == ("resume", min({0, 1, 2} - {bad}), 3)


def test_a_trial_that_fails_after_its_promotion_makes_room_for_the_next():
    table = CurveTable.flat([1, 2, 3, 4, 5, 6], fails={0: 2})
    history, log = table.search(lambda: ASHA(3, factor=3)).play()
    assert history.trials[0].status is Status.FAILED
    assert ("resume", 1, 3) in jobs(log)


def test_early_stopping_counts_as_reaching_the_rungs_above():
    # Trial 0 ends by itself after epoch 1 and is the best: it stands on every rung untrained.
    def curve(config, epoch):
        return None if config["i"] == 0 and epoch == 2 else float(config["i"])

    space = Space({"i": integer(0, 8)})
    search = CurveStudy(lambda: ASHA(27, 3, min_epochs=3), curve, space, algorithm=GridSearch)
    history, log = search.play()
    assert history.trials[0].status is Status.COMPLETED
    assert history.trials[0].epochs == 1
    assert ("resume", 0, 9) not in jobs(log)
    assert ("resume", 1, 9) in jobs(log)
    assert all_ended(history)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
def test_a_small_search_ends_with_a_whole_training(size):
    history, _ = CurveTable.flat(range(size)).search(lambda: ASHA(27, factor=3)).play()
    assert history.trials[0].status is Status.COMPLETED
    assert history.trials[0].epochs == 27


def test_no_worker_idles_while_there_are_configurations():
    history, _ = (
        CurveTable(200, lambda i, e: i % 7).search(lambda: ASHA(9, factor=3), workers=8).play()
    )
    assert history.now == pytest.approx(busy(history) / 8, rel=0.15)


def busy(history):
    return sum(trial.seconds for trial in history.trials.values())


@given(values=VALUES, workers=st.integers(1, 5), factor=st.integers(2, 4))
@settings(max_examples=50, deadline=None)
def test_no_epoch_beyond_the_plan_and_nothing_forgotten(values, workers, factor):
    scheduler = ASHA(9, factor, limit=len(values))
    history, log = CurveTable.flat(values).search(lambda: scheduler, workers=workers).play()
    assert history.epochs <= scheduler.plan().epochs
    assert len(history.trials) == scheduler.plan().trials
    assert all_ended(history)
    assert any(trial.epochs == 9 for trial in history.trials.values())
    assert trained(History(log)) == trained(history)


@given(data=st.data(), values=VALUES)
@settings(max_examples=50, deadline=None)
def test_cutting_the_log_anywhere_and_resuming_trains_the_same(data, values):
    fails = data.draw(st.dictionaries(st.integers(0, len(values) - 1), st.integers(1, 4)))
    table = CurveTable.flat(values, fails)
    history, log = table.search(lambda: ASHA(9)).play()
    cut = data.draw(st.integers(1, len(log)))
    again, second = table.search(lambda: ASHA(9)).play(log[:cut])
    assert trained(again) == trained(history)
    assert all_ended(again)
    # Killed again while it resumed.
    third, _ = table.search(lambda: ASHA(9)).play(second[: cut + data.draw(st.integers(0, 3))])
    assert trained(third) == trained(history)


@given(values=VALUES, limit=st.integers(1, 20), more=st.integers(0, 10))
@settings(max_examples=30, deadline=None)
def test_raising_max_trials_continues_with_what_was_given_up(values, limit, more):
    table = CurveTable.flat(values)
    _, log = table.search(lambda: ASHA(9), budget=Budget(max_trials=limit)).play()
    extended, _ = table.search(lambda: ASHA(9), budget=Budget(max_trials=limit + more)).play(log)
    assert len(extended.trials) == min(len(values), limit + more)
    assert all_ended(extended)


@given(values=VALUES, budget=st.integers(1, 60), workers=st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_the_budget_of_epochs_is_exact(values, budget, workers):
    table = CurveTable.flat(values)
    free, _ = table.search(lambda: ASHA(9), workers=workers).play()
    history, _ = table.search(
        lambda: ASHA(9, budget=budget), workers=workers, budget=Budget(max_epochs_total=budget)
    ).play()
    assert history.epochs <= budget
    assert history.epochs == budget or history.epochs >= min(budget, 9)
    if workers == 1:
        assert history.epochs == min(budget, free.epochs)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_epochs": 0}, "max_epochs must be a whole number of at least 1"),
        ({"max_epochs": 9, "factor": 1}, "factor must be a whole number of at least 2"),
        ({"max_epochs": 9, "min_epochs": 0}, "min_epochs must be a whole number of at least 1"),
        ({"max_epochs": 9, "min_epochs": 10}, "min_epochs must not exceed max_epochs"),
    ],
)
def test_invalid_arguments(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        ASHA(**arguments)
