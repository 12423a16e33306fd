"""The Pareto front, against a definition written out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerashpo.analysis.pareto import non_dominated, objective_named, tradeoff
from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Ended, JobStarted, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Failure, Objective, Report, Start, Status
from kerashpo.space import Space, uniform
from kerashpo.study.results import Results

SPACE = Space({"x": uniform(0.0, 1.0)})


def study(rows, objectives=(("acc", "max"), ("loss", "min")), failed=()):
    history = History([StudyCreated(SPACE.to_json(), objectives, 0)])
    for number, (acc, loss, seconds) in enumerate(rows):
        history.apply(JobStarted(Start(number, {"x": 0.5}, 1)))
        metrics = {"acc": acc, "loss": loss, "strange": acc}
        history.apply(Reported(Report(number, 0, 1, metrics, seconds)))
        status = Status.FAILED if number in failed else Status.COMPLETED
        failure = Failure("fit", "broke") if number in failed else None
        history.apply(Ended(number, status, "", failure))
    return history


ROWS = [(0.9, 0.5, 1.0), (0.8, 0.3, 2.0), (0.8, 0.4, 9.0), (0.95, 0.2, 5.0), (0.99, 0.9, 7.0)]


@given(st.lists(st.tuples(*[st.integers(0, 5)] * 3), max_size=25))
def test_a_row_stays_exactly_if_no_other_beats_it(rows):
    costs = np.array(rows, dtype=float).reshape(-1, 3)
    kept = non_dominated(costs)
    for row, stays in zip(costs, kept):
        beaten = any((other <= row).all() and (other < row).any() for other in costs)
        assert stays == (not beaten)


def test_the_objectives_are_weighed_against_each_other():
    found = tradeoff(study(ROWS))
    assert found.trials[found.front].tolist() == [3, 4]


def test_one_objective_is_weighed_against_the_seconds():
    found = tradeoff(study(ROWS, (("acc", "max"),)))
    assert [o.name for o in found.objectives] == ["seconds", "acc"]
    assert found.trials[found.front].tolist() == [0, 3, 4]


def test_failed_trials_and_missing_values_are_left_out():
    rows = [*ROWS, (0.999, float("nan"), 1.0)]
    found = tradeoff(study(rows, failed=(3,)))
    assert found.trials.tolist() == [0, 1, 2, 4]


def test_a_study_without_trials():
    assert len(tradeoff(study([])).trials) == 0


def test_results_give_the_front_as_a_table():
    frame = Results(study(ROWS)).pareto("acc", "seconds")
    assert list(frame.columns) == ["trial", "acc", "seconds", "param_x"]
    assert frame["trial"].tolist() == [4, 3, 0]


def test_a_metric_that_was_not_logged():
    with pytest.raises(InvalidInput, match="No epoch logged 'los'. Did you mean 'loss'"):
        objective_named(study(ROWS), "los")


def test_a_metric_whose_direction_is_not_known():
    with pytest.raises(InvalidInput, match="'strange' should be minimised or maximised"):
        Results(study(ROWS)).pareto("strange")
    front = Results(study(ROWS)).pareto(Objective("strange", "max"))
    assert front["trial"].tolist() == [4]
