"""What a model reads of a history, above all where trials were stopped early."""

import math

import numpy as np
import pytest

from kerashpo.algorithms.observations import Observations, align
from kerashpo.core.events import Decided, Ended, JobStarted, Reached, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Decision, Report, Start, Status
from kerashpo.space import Space, uniform
from kerashpo.space.cube import Cube

SPACE = Space({"x": uniform(0, 1)})


class Study:
    def __init__(self):
        self.history = History([StudyCreated(SPACE.to_json(), (("value", "max"),), 0)])

    def start(self, x, until=9):
        trial = self.history.next_trial
        self.history.apply(JobStarted(Start(trial, {"x": x}, until)))
        return trial

    def report(self, trial, values):
        first = self.history.trials[trial].epoch
        for epoch, value in enumerate(values, first + 1):
            self.history.apply(Reported(Report(trial, 0, epoch, {"value": value}, 0.0)))

    def complete(self, trial):
        self.history.apply(Ended(trial, Status.COMPLETED, "completed"))

    def read(self):
        observations = Observations(Cube(SPACE))
        observations.update(self.history)
        return observations.read(self.history)


@pytest.fixture
def study():
    return Study()


def test_full_trainings_are_one_observation_each(study):
    for x in (0.2, 0.7):
        study.report(study.start(x), [x, x + 0.1, x + 0.05])
        study.complete(study.history.next_trial - 1)
    seen = study.read()
    assert seen.rows.ravel().tolist() == [0.2, 0.7]
    np.testing.assert_allclose(seen.costs, [-0.3, -0.8])  # the best epoch, maximised
    assert not seen.partial


def test_a_failure_costs_infinity_even_after_good_epochs(study):
    trial = study.start(0.5)
    study.report(trial, [0.9])
    study.history.apply(Ended(trial, Status.FAILED, "failed"))
    assert study.read().costs.tolist() == [math.inf]


def test_running_trials_are_pending_and_not_observed(study):
    study.report(study.start(0.4), [0.5])
    seen = study.read()
    assert len(seen.costs) == 0
    assert seen.pending.ravel().tolist() == [0.4]


def test_a_paused_trial_is_seen_at_its_rung_and_a_complete_one_at_every_level(study):
    low = study.start(0.1, until=3)
    study.report(low, [0.1, 0.2, 0.3])
    study.history.apply(Reached(low))
    full = study.start(0.9)
    study.report(full, [0.2, 0.3, 0.4, 0.5, 0.6, 0.6, 0.7, 0.7, 0.7])
    study.complete(full)
    seen = study.read()
    assert seen.partial
    assert seen.rows.ravel().tolist() == [0.1, 0.9, 0.9]
    np.testing.assert_allclose(seen.resources, [0.5, 0.5, 1.0])  # log 3 / log 9
    # The complete one rose by 0.3 from epoch 3 on: so would the paused one.
    np.testing.assert_allclose(seen.costs, [-0.6, -0.7, -0.7])


def test_a_trial_stopped_before_its_first_epoch_says_nothing(study):
    trial = study.start(0.5)
    study.history.apply(Decided(trial, Decision.STOP))
    study.history.apply(Ended(trial, Status.STOPPED, "study ended"))
    assert len(study.read().costs) == 0


def test_the_order_of_reports_does_not_matter():
    seen = []
    for order in ([0, 1, 2], [2, 0, 1]):
        study = Study()
        for x in (0.1, 0.5, 0.9):
            study.start(x, until=3)
        for trial in order:
            study.report(trial, [0.1 * trial] * 3)
            study.history.apply(Reached(trial))
        seen.append(study.read())
    np.testing.assert_array_equal(seen[0].rows, seen[1].rows)
    np.testing.assert_array_equal(seen[0].costs, seen[1].costs)


def test_levels_are_aligned_by_the_trials_that_continued():
    trials = np.array([0, 1, 2, 1, 2, 2])
    levels = np.array([1, 1, 1, 3, 3, 9])
    costs = np.array([9.0, 5.0, 4.0, 3.0, 2.0, 1.0])
    # 3 -> 9 takes off 1, 1 -> 3 takes off 2: three in all for the first level.
    np.testing.assert_allclose(align(trials, levels, costs), [6.0, 2.0, 1.0, 2.0, 1.0, 1.0])


def test_failures_do_not_spoil_the_alignment():
    costs = np.array([4.0, math.inf, 3.0])
    moved = align(np.array([0, 1, 0]), np.array([1, 3, 3]), costs)
    np.testing.assert_array_equal(moved, [3.0, math.inf, 3.0])
