"""Which epochs count, and what was measured apart from them."""

from __future__ import annotations

import math

import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import JobStarted, Measured, Reported, StudyCreated, decode, encode
from kerashpo.core.history import History
from kerashpo.core.objective import Scoring
from kerashpo.core.records import Objective, Report, Start
from kerashpo.core.trial import Trial

LOSS = Objective("loss", "min")


def trial(scoring: str, *runs: list[float]) -> Trial:
    made = Trial(0, {}, LOSS, runs=len(runs), scoring=Scoring.read(scoring))
    for run, values in enumerate(runs):
        for epoch, value in enumerate(values, start=1):
            made.add(Report(0, run, epoch, {"loss": value}, float(epoch)))
    return made


@pytest.mark.parametrize(
    ("scoring", "score", "epoch"),
    [("best", 1.0, 2), ("last", 3.0, 4), ("mean_last_2", 4.0, 4), ("mean_last_9", 3.5, 4)],
)
def test_a_run_is_judged_by_the_epochs_that_count(scoring, score, epoch):
    found = trial(scoring, [5.0, 1.0, 5.0, 3.0])
    assert (found.score, found.best_epoch) == (score, epoch)


def test_an_epoch_that_is_not_finite_does_not_count():
    assert trial("last", [2.0, math.nan]).score == 2.0
    assert trial("mean_last_2", [4.0, math.inf, 2.0]).score == 3.0
    assert trial("last", [math.nan]).score is None


def test_until_looks_no_further():
    found = trial("last", [5.0, 1.0, 3.0])
    assert [found.best_until(epoch).cost for epoch in (1, 2, 3)] == [5.0, 1.0, 3.0]


def test_runs_are_averaged_and_spread():
    found = trial("last", [9.0, 1.0], [9.0, 3.0])
    assert (found.score, found.spread) == (2.0, pytest.approx(math.sqrt(2)))
    assert trial("best", [1.0]).spread is None


@pytest.mark.parametrize("given", ["first", "mean_last_0", "mean_last_x", 3, None])
def test_another_score_is_refused(given):
    with pytest.raises(InvalidInput, match='score must be "best", "last" or "mean_last_"'):
        Scoring.read(given)


def events(score: str = "best") -> list:
    return [
        StudyCreated({"params": []}, (("loss", "min"),), 0, {"score": score}),
        JobStarted(Start(0, {}, 2)),
        Reported(Report(0, 0, 1, {"loss": 1.0}, 1.0), at=1.0),
        Reported(Report(0, 0, 2, {"loss": 3.0}, 2.0), at=2.0),
        JobStarted(Start(1, {}, 1), at=2.0),
        Reported(Report(1, 0, 1, {"loss": 2.0}, 1.0), at=3.0),
    ]


def test_the_leader_may_fall_back():
    assert History(events()).best.number == 0
    assert History(events("last")).best.number == 1


def test_what_was_measured_is_the_score():
    history = History(events())
    event = Measured(0, 0, 2, {"loss": 2.5}, at=4.0)
    assert decode(encode(event)) == event
    history.apply(event)
    first = history.trials[0]
    assert (first.score, first.best_epoch, history.best.number) == (2.5, 2, 1)
    assert first.best_until(1).cost == 1.0
    assert first.metrics_at_best() == {"loss": 2.5}


def test_what_was_measured_beside_the_objective_changes_no_score():
    history = History(events())
    history.apply(Measured(0, 0, 1, {"size": 7.0}, at=4.0))
    assert history.trials[0].score == 1.0
    assert history.trials[0].metrics_at_best() == {"loss": 1.0, "size": 7.0}
