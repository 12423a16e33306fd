import pytest

from kerashpo.core.records import Budget
from kerashpo.schedulers.asha import ASHA
from kerashpo.schedulers.brackets import asha_levels, asha_plan, within
from kerashpo.schedulers.hyperband import Hyperband
from kerashpo.testing.curve_study import CurveTable


def test_endless_brackets_are_planned_for_the_bound():
    plan = Hyperband(9, iterations=None, limit=40).plan()
    assert plan.trials == 40
    assert [bracket[0].trials for bracket in plan.brackets] == [9, 5, 3, 9, 5, 3, 6]


def test_endless_brackets_without_a_bound_have_no_end():
    plan = Hyperband(9, iterations=None).plan()
    assert (plan.trials, plan.epochs) == (None, None)
    assert "repeated" in plan.notes[0]


def test_endless_brackets_spend_the_budget():
    scheduler = Hyperband(9, iterations=None, budget=400)
    history, _ = (
        CurveTable(500, lambda i, _: i)
        .search(lambda: scheduler, budget=Budget(max_epochs_total=400))
        .play()
    )
    assert history.epochs == scheduler.plan().epochs == 400


def test_endless_brackets_end_with_the_space():
    history, _ = (
        CurveTable(20, lambda i, _: i)
        .search(lambda: Hyperband(9, iterations=None), workers=3)
        .play()
    )
    assert len(history.trials) == 20
    assert history.stopped is not None
    assert all(trial.status.ended for trial in history.trials.values())


@pytest.mark.parametrize("scheduler", [Hyperband, ASHA])
def test_a_budget_that_cannot_reach_the_last_rung_is_reported(scheduler):
    poor = scheduler(81, budget=30).plan()
    assert any("cannot reach the last rung of 81 epochs" in note for note in poor.notes)
    rich = scheduler(81, budget=5000, limit=81).plan()
    assert not any("cannot reach" in note for note in rich.notes)


def test_a_plan_within_its_budget_stays_as_it_is():
    plan = Hyperband(81).plan()
    assert within(plan, plan.epochs) is plan
    assert within(plan, plan.epochs - 1).epochs == plan.epochs - 1


def test_asha_plans_as_many_trials_as_the_budget_usually_carries():
    plan = asha_plan(asha_levels(9, 3), 3, float("inf"), 45)
    # 15 configurations: 15 x 1 + 5 x 2 + 1 x 6 = 31; 21: 21 + 14 + 12 = 47; 20: 20 + 12 + 12.
    assert plan.brackets[0][0].trials == 20
    assert plan.trials is None
    assert plan.epochs == 45


def test_asha_bounds_what_an_unlucky_order_would_train():
    # Each trial is better than those before, so that all but two continue from each rung.
    plan = ASHA(9, limit=6).plan()
    history, _ = CurveTable(6, lambda i, _: -i).search(lambda: ASHA(9)).play()
    assert history.epochs == plan.epochs == 6 + 4 * 2 + 2 * 6
    assert "14 epochs are usual" not in plan.notes[0]
    assert "are usual" in plan.notes[0]


def test_asha_without_a_bound_has_no_plan():
    plan = ASHA(9).plan()
    assert (plan.brackets, plan.trials, plan.epochs) == ((), None, None)


def test_a_bound_of_no_trials_is_an_empty_plan():
    plan = ASHA(9, limit=0).plan()
    assert (plan.brackets, plan.trials, plan.epochs) == ((), 0, 0)
