"""`cv_results_` has scikit-learn's columns, and its numbers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import HalvingGridSearchCV

from kerashpo.core.events import Ended, JobStarted, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Failure, Report, Resume, Start, Status
from kerashpo.space import Space, choice, uniform, when
from kerashpo.study.results import Results

SPACE = Space(
    {"o": choice(["sgd", "adam"]), "shape": choice([(1, 2), (3,)])},
    when("o", "sgd", {"momentum": uniform(0.0, 0.9)}),
)
CONFIGS = [{"o": "sgd", "shape": 0, "momentum": 0.5}, {"o": "adam", "shape": 1}]


def study(scores, direction="max", failed=()):
    """A study: for each trial its runs, for each run a score by epoch, two seconds an epoch."""
    settings = {"runs": max(len(runs) for runs in scores)} if scores else {}
    history = History([StudyCreated(SPACE.to_json(), (("s", direction),), 0, settings)])
    for number, runs in enumerate(scores):
        history.apply(JobStarted(Start(number, CONFIGS[number % 2], 1)))
        history.apply(JobStarted(Resume(number, len(runs[0]))))
        for run, values in enumerate(runs):
            for epoch, value in enumerate(values, start=1):
                seconds = 2.0 * epoch + run
                history.apply(Reported(Report(number, run, epoch, {"s": value}, seconds)))
        status = Status.FAILED if number in failed else Status.COMPLETED
        failure = Failure("fit", "broke") if number in failed else None
        history.apply(Ended(number, status, "", failure))
    return Results(history).cv_results_


def test_scores_of_runs_are_splits():
    found = study([[[0.1, 0.5], [0.7, 0.2]], [[0.4, 0.3], [0.2, 0.4]]])
    assert found["split0_test_score"].tolist() == [0.5, 0.4]
    assert found["split1_test_score"].tolist() == [0.7, 0.4]
    assert found["mean_test_score"] == pytest.approx([0.6, 0.4])
    assert found["std_test_score"] == pytest.approx([0.1, 0.0])
    assert found["mean_fit_time"] == pytest.approx([4.5, 4.5])
    assert found["std_fit_time"] == pytest.approx([0.5, 0.5])
    assert found["n_resources"].tolist() == [2, 2]
    assert found["iter"].tolist() == [1, 1]


@pytest.mark.parametrize(("direction", "ranks"), [("max", [2, 4, 1, 2]), ("min", [1, 4, 3, 1])])
def test_ranks_follow_the_direction_and_failures_are_last(direction, ranks):
    found = study([[[0.5]], [[0.9]], [[0.6]], [[0.5]]], direction, failed=(1,))
    assert found["rank_test_score"].tolist() == ranks
    assert np.isnan(found["mean_test_score"][1]) and np.isnan(found["split0_test_score"][1])


def test_parameters_are_masked_where_inactive_and_may_be_tuples():
    found = study([[[0.5]], [[0.9]]])
    assert found["params"][0]["o"] == "sgd" and found["params"][0]["momentum"] == 0.5
    assert "momentum" not in found["params"][1]
    assert found["param_momentum"].mask.tolist() == [False, True]
    assert found["param_o"].tolist() == ["sgd", "adam"]
    assert not found["param_shape"].mask.any()


def test_no_trial_is_no_error():
    assert {len(column) for column in study([]).values()} == {0}


def test_the_names_are_those_of_scikit_learn():
    search = HalvingGridSearchCV(
        LogisticRegression(), {"C": [0.1, 1.0]}, cv=2, resource="max_iter", max_resources=50
    )
    rows = np.random.default_rng(0).normal(size=(40, 2))
    theirs = set(search.fit(rows, (rows[:, 0] > 0).astype(int)).cv_results_)
    # Validation is part of an epoch here: there is no scoring apart, and no training score.
    expected = {n for n in theirs if "score_time" not in n and "train_score" not in n}
    ours = set(study([[[0.5], [0.4]]]))
    assert {n for n in ours if not n.startswith("param_")} == {
        n for n in expected if not n.startswith("param_")
    }
