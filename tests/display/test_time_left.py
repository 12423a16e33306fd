"""The time left: set-up of trials and epochs apart."""

from __future__ import annotations

import pytest

from kerashpo.core.events import (
    Ended,
    JobStarted,
    Reached,
    Reported,
    SessionStarted,
    StudyCreated,
)
from kerashpo.core.history import History
from kerashpo.core.records import Plan, Report, Resume, Rung, Start, Status
from kerashpo.display.time_left import TimeLeft


class Watched:
    """A search as it continues: each event with its time, and what is left after it."""

    def __init__(self, plan: Plan, workers: int = 1) -> None:
        self.time_left, self.workers = TimeLeft(plan), workers
        self.history = History()
        self.now = 0.0
        self.estimates: list[tuple[float, float | None]] = []
        self.tell(StudyCreated({"params": []}, (("loss", "min"),), 0))
        self.tell(SessionStarted(0.0))

    def tell(self, event, at: float | None = None) -> None:
        self.now = self.now if at is None else at
        stamped = type(event)(
            **{name: getattr(event, name) for name in event.__dataclass_fields__ if name != "at"},
            at=self.now,
        )
        self.history.apply(stamped)
        self.time_left.update(stamped, self.history)
        self.estimates.append((self.now, self.time_left.seconds(self.history, self.workers)))

    def train(self, job, first: int, setup: float, epoch: float) -> None:
        """Carries out a job: its set-up, then an epoch after the other."""
        self.tell(JobStarted(job))
        self.now += setup
        for number in range(first, job.until + 1):
            self.now += epoch
            # The first epoch's seconds hold the tracing of the graph, as in training.
            spent = number * epoch + setup
            self.tell(Reported(Report(job.trial, 0, number, {"loss": 1.0}, spent)))
        self.tell(Reached(job.trial))

    def off(self, least: float = 0.0) -> list[float]:
        """Returns estimate / truth at each moment from which at least so many seconds follow."""
        known = [(at, left) for at, left in self.estimates if left is not None]
        return [left / (self.now - at) for at, left in known if self.now - at > least]


def test_set_up_of_the_first_trials_is_not_taken_for_epochs():
    # The first trial costs 6 s, the others 0.3 s each; an epoch takes 0.05 s.
    watched = Watched(Plan((), 25, 25 * 20))
    for number in range(25):
        watched.train(Start(number, {}, 20), 1, 6.0 if number == 0 else 0.3, 0.05)
        watched.tell(Ended(number, Status.COMPLETED, ""))
    off = watched.off(least=2.0)
    assert len(off) > 300
    assert 0.7 < min(off) <= max(off) < 1.3
    # One pace for both says 7 s too much for each trial that follows.
    assert (6.3 / 20 * 480) / 31 > 4


def test_rungs_count_as_jobs():
    plan = Plan(((Rung(9, 2), Rung(3, 6), Rung(1, 18)),), 9, 9 * 2 + 3 * 4 + 12)
    watched = Watched(plan)
    for number in range(9):
        watched.train(Start(number, {}, 2), 1, 1.0, 0.1)
    for number in range(3):
        watched.train(Resume(number, 6), 3, 1.0, 0.1)
    watched.train(Resume(0, 18), 7, 1.0, 0.1)
    off = watched.off(least=2.0)
    assert 0.6 < min(off) <= max(off) < 1.3


def test_a_searched_function_has_only_set_up():
    watched = Watched(Plan((), 50, 50))
    for number in range(50):
        watched.train(Start(number, {}, 1), 1, 0.4, 0.1)
        watched.tell(Ended(number, Status.COMPLETED, ""))
    off = watched.off(least=1.0)
    assert len(off) > 100 and 0.9 < min(off) <= max(off) < 1.1


def test_suggestions_between_trials_are_part_of_the_set_up():
    watched = Watched(Plan((), 20, 200))
    for number in range(20):
        watched.now += 1.0
        watched.train(Start(number, {}, 10), 1, 0.1, 0.1)
        watched.tell(Ended(number, Status.COMPLETED, ""))
    last = [left for at, left in watched.estimates if left is not None and watched.now - at > 20]
    truth = [watched.now - at for at, left in watched.estimates if left is not None][: len(last)]
    assert last[-1] == pytest.approx(truth[-1], rel=0.1)


def test_two_workers_halve_it():
    plan = Plan((), 20, 200)
    watched = Watched(plan, workers=2)
    for pair in range(10):
        numbers = (2 * pair, 2 * pair + 1)
        begin = watched.now
        for number in numbers:
            watched.tell(JobStarted(Start(number, {}, 10)))
        for epoch in range(1, 11):
            for number in numbers:
                at = begin + 0.5 + 0.1 * epoch
                report = Report(number, 0, epoch, {"loss": 1.0}, 0.5 + 0.1 * epoch)
                watched.tell(Reported(report), at)
        for number in numbers:
            watched.tell(Ended(number, Status.COMPLETED, ""))
    off = watched.off(least=2.0)
    assert 0.6 < min(off) <= max(off) < 1.3


def test_nothing_is_said_before_the_first_epochs():
    watched = Watched(Plan((), 3, 30))
    watched.train(Start(0, {}, 4), 1, 1.0, 0.1)
    assert {left for _, left in watched.estimates} == {None}
    watched.train(Start(1, {}, 4), 1, 1.0, 0.1)
    assert watched.estimates[-1][1] is not None
    watched.tell(SessionStarted(0.0))
    assert watched.estimates[-1][1] is None, "an earlier session's pace says nothing"


def test_a_plan_without_epochs_has_no_end():
    watched = Watched(Plan((), None, None))
    watched.train(Start(0, {}, 9), 1, 1.0, 0.1)
    assert watched.estimates[-1][1] is None
