"""`History`: scores, ties, leaders and statuses as the events record them."""

from __future__ import annotations

import math

import pytest

from kerashpo.core.events import Decided, Ended, JobStarted, Reached, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Decision, Failure, Fork, Report, Resume, Start, Status
from kerashpo.core.trial import STUDY_ENDED


def study(direction="max", metric="val_accuracy", curves=()):
    """A history in which trial i reported the metrics ``curves[i]``, epoch by epoch."""
    history = History([StudyCreated({"params": []}, ((metric, direction),), 0)])
    for trial, curve in enumerate(curves):
        history.apply(JobStarted(Start(trial, {"x": trial}, 9), at=1.0))
        for epoch, metrics in enumerate(curve, start=1):
            history.apply(Reported(report(trial, epoch, metrics), at=float(epoch)))
    return history


def report(trial, epoch, metrics, run=0):
    if not isinstance(metrics, dict):
        metrics = {"val_accuracy": metrics}
    return Report(trial, run, epoch, metrics, float(epoch))


def test_the_score_is_the_best_epoch():
    trial = study(curves=[[0.5, 0.9, 0.7]]).trials[0]
    assert (trial.score, trial.best_epoch, trial.epochs) == (0.9, 2, 3)


def test_among_equal_epochs_the_earliest_is_best():
    assert study(curves=[[0.5, 0.9, 0.9]]).trials[0].best_epoch == 2


def test_among_equal_epochs_the_lower_loss_is_best():
    curve = [{"val_accuracy": 0.9, "val_loss": loss} for loss in (0.5, 0.3, 0.4)]
    assert study(curves=[curve]).trials[0].best_epoch == 2


def test_ties_go_to_the_lower_loss_of_the_same_split():
    first = [{"val_accuracy": 0.9, "val_loss": 0.5, "loss": 0.1}]
    second = [{"val_accuracy": 0.9, "val_loss": 0.4, "loss": 0.2}]
    assert study(curves=[first, second]).best.number == 1


def test_remaining_ties_go_to_the_lower_trial():
    assert study(curves=[[0.1], [0.9], [0.9]]).best.number == 1


def test_a_training_metric_breaks_ties_by_the_training_loss():
    rows = [[{"accuracy": 0.9, "loss": loss, "val_loss": -loss}] for loss in (0.5, 0.4)]
    assert study(metric="accuracy", curves=rows).best.number == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("direction", ["min", "max"])
def test_an_epoch_that_is_no_number_is_no_score(bad, direction):
    history = study(direction, curves=[[bad], [0.5, bad]])
    assert history.trials[0].score is None
    assert history.trials[0].best_epoch is None
    assert history.best.number == 1
    assert history.best.score == 0.5


def test_no_trial_leads_without_a_finite_score():
    assert study(curves=[[math.nan], []]).best is None


def test_an_epoch_counts_once():
    history = study(curves=[[0.5]])
    assert not history.apply(Reported(report(0, 1, 0.99), at=9.0))
    assert (history.trials[0].score, history.epochs) == (0.5, 1)


def test_epochs_may_arrive_shuffled():
    history = study(curves=[[]])
    for epoch, value in ((3, 0.7), (1, 0.5), (2, 0.9)):
        history.apply(Reported(report(0, epoch, value), at=1.0))
    assert list(history.trials[0].curve()) == [(1, 0.5), (2, 0.9), (3, 0.7)]
    assert history.trials[0].best_epoch == 2


def test_maximising_equals_minimising_the_negative():
    curves = [[0.5, 0.9], [0.9, 0.2], [0.95], [math.nan, 0.1]]
    up = study("max", curves=curves)
    down = study("min", curves=[[-value for value in curve] for curve in curves])
    order = [sorted(history.trials, key=history.rank) for history in (up, down)]
    assert order[0] == order[1] == [2, 0, 1, 3]
    assert up.best.score == -down.best.score


def test_ranks_until_an_epoch_ignore_later_ones():
    history = study(curves=[[0.5, 0.9], [0.6, 0.1]])
    assert history.rank(1, until=1) < history.rank(0, until=1)
    assert history.rank(0, until=2) < history.rank(1, until=2)


def test_failed_trials_rank_last_and_never_lead():
    history = study(curves=[[0.99], [0.1]])
    history.apply(Ended(0, Status.FAILED, "failed", Failure("fit", "boom"), at=2.0))
    assert history.best.number == 1
    assert history.rank(1) < history.rank(0)
    assert history.failed == 1


def test_several_runs_score_by_the_mean_of_their_bests():
    history = study(curves=[[0.6, 0.8]])
    history.apply(Reported(report(0, 1, 0.4, run=1), at=3.0))
    trial = history.trials[0]
    assert (trial.score, trial.epochs, trial.epoch) == (pytest.approx(0.6), 3, 1)


def test_a_run_without_a_finite_score_spoils_the_mean():
    history = study(curves=[[0.6]])
    history.apply(Reported(report(0, 1, math.nan, run=1), at=3.0))
    assert history.trials[0].score is None
    assert history.best is None


def test_who_runs_and_who_waits():
    history = study(curves=[[0.1], [0.2], [0.3]])
    history.apply(Reached(0, at=2.0))
    history.apply(Decided(1, Decision.PAUSE, at=3.0))
    history.apply(Ended(2, Status.COMPLETED, "completed", at=4.0))
    assert (history.running, history.paused) == (set(), {0, 1})
    history.apply(JobStarted(Resume(0, 9), at=5.0))
    assert (history.running, history.paused) == ({0}, {1})


def test_only_the_end_of_the_study_leaves_a_trial_stopped_by_the_budget():
    history = study(curves=[[0.1], [0.2]])
    history.apply(Ended(0, Status.STOPPED, STUDY_ENDED, at=2.0))
    history.apply(Ended(1, Status.STOPPED, "rung", at=2.0))
    assert [trial.stopped_by_budget for trial in history.trials.values()] == [True, False]


def test_a_fork_knows_its_parent():
    history = study(curves=[[0.1]])
    history.apply(JobStarted(Fork(1, 0, 1, {"x": 5}, 9), at=2.0))
    trial = history.trials[1]
    assert (trial.parent, trial.forked_at, trial.config) == (0, 1, {"x": 5})


def test_a_leader_whose_later_run_is_worse_hands_over():
    history = study(curves=[[0.9], [0.7]])
    history.apply(Reported(report(0, 1, 0.1, run=1), at=3.0))
    assert history.best.number == 1
