"""Forks through the loop: where they begin, what they count, and what is left after a kill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from kerashpo.algorithms.random import RandomSearch
from kerashpo.core.events import Ended, JobStarted, SessionStarted, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Budget, Decision, Done, Fork, Plan, Start, Status, Wait
from kerashpo.display.snapshot import running_trials
from kerashpo.executors.serial import SerialExecutor
from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.pbt import PBT
from kerashpo.space import Space, uniform
from kerashpo.store.base import MemoryStore
from kerashpo.store.blobs import MemoryBlobs, origin_key
from kerashpo.study.loop import Limits, Loop
from kerashpo.study.retention import Retention
from kerashpo.study.state import StudyState
from kerashpo.testing.curve_runner import METRIC, CurveRunner, wave

SPACE = Space({"x": uniform(0.0, 1.0)})
AT, UNTIL = 2, 4
PARENT, CHILD, GRANDCHILD = 0, 1, 2


class Relay(Scheduler):
    """A trial, a fork of it and a fork of that one; a parent is stopped once its fork is given."""

    max_epochs = UNTIL

    def next_job(self, algorithm, history):
        trial = history.next_trial
        if history.running:
            return Wait()
        if trial == PARENT:
            return Start(PARENT, {"x": 0.5}, AT)
        if trial > GRANDCHILD:
            return Done()
        parent = trial - 1
        return Fork(trial, parent, AT + parent, {"x": 0.1 * trial}, AT + trial)

    def on_event(self, event, history):
        match event:
            case JobStarted(Fork(_, parent)):
                return [(parent, Decision.STOP)]
        return []

    def plan(self):
        return Plan((), 3, UNTIL)


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours may catch it."""


class Mortal(MemoryStore):
    """Is killed before or after it appends its n-th event."""

    left, before = -1, False

    def append(self, event):
        self.left -= 1
        if self.left == 0 and self.before:
            raise Killed
        super().append(event)
        if self.left == 0:
            raise Killed


@dataclass
class Study:
    limits: Limits = Limits()
    scheduler: Callable[[], Scheduler] = Relay
    store: Mortal = field(default_factory=Mortal)
    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)
    trained: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self):
        self.store.append(StudyCreated(SPACE.to_json(), ((METRIC, "min"),), 0))

    def search(self) -> History:
        state = StudyState(self.scheduler(), list(self.store.read()))
        runner = CurveRunner(wave, self.blobs)
        runner.trained = self.trained
        loop = Loop(
            state,
            self.store,
            lambda: RandomSearch(SPACE, 0),
            SerialExecutor(runner, blobs=self.blobs),
            self.limits,
            (Retention(self.blobs, 0),),
        )
        loop.begin(SessionStarted(0.0))
        loop.run()
        return state.history


EPOCHS = {PARENT: [1, 2], CHILD: [3], GRANDCHILD: [4]}


def epochs(history: History) -> dict[int, list[int]]:
    return {n: sorted(trial.reports.get(0, {})) for n, trial in history.trials.items()}


def reported(history: History) -> dict[int, object]:
    """By trial, what must not depend on interruptions."""
    trials = history.trials.values()
    return {t.number: (t.config, t.origin, t.status, t.reports.get(0, {})) for t in trials}


def test_epochs_count_from_the_fork_on():
    history = Study().search()
    assert epochs(history) == EPOCHS and history.epochs == UNTIL
    assert [t.epoch for t in history.trials.values()] == [2, 3, 4]
    assert [t.origin for t in history.trials.values()] == [None, (PARENT, 2), (CHILD, 3)]
    assert [t.status for t in history.trials.values()] == [
        Status.STOPPED,
        Status.STOPPED,
        Status.STOPPED,  # by the end of the study: the scheduler did not end it
    ]


def test_a_fork_is_at_its_origin_before_its_first_report():
    events = list(Study().store.read())
    events += [SessionStarted(0.0), JobStarted(Start(PARENT, {"x": 0.5}, AT))]
    events += [JobStarted(Fork(CHILD, PARENT, AT, {"x": 0.2}, 9))]
    history = History(events)
    child = history.trials[CHILD]
    assert (child.epoch, child.epochs, child.complete) == (AT, 0, False)
    assert [(r.epoch, r.until) for r in running_trials(history, SPACE)] == [(0, AT), (AT, 9)]
    assert child.last_epoch(run=1) == 0  # a fold of a final round starts again


@pytest.mark.parametrize("total", [1, 2, 3, 4])
def test_a_budget_of_epochs_does_not_count_the_parents_epochs_again(total):
    history = Study(Limits(Budget(max_epochs_total=total))).search()
    assert history.epochs == total
    assert sum(map(len, epochs(history).values())) == total


def population() -> PBT:
    return PBT(6, population=3, interval=2)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("scheduler", [Relay, population])
def test_a_kill_at_any_event_changes_nothing(scheduler, before):
    study = Study(scheduler=scheduler)
    whole = reported(study.search())
    events = len(list(study.store.read()))
    assert events > 12
    for moment in range(1, events):
        study = Study(scheduler=scheduler)
        study.store.left, study.store.before = moment, before
        with pytest.raises(Killed):
            study.search()
        study.store.left = -1
        history = study.search()
        assert reported(history) == whole, moment
        assert not history.failed, moment
        assert len(study.trained) - len(set(study.trained)) <= 1, moment


def killed_before_the_fork_began() -> Study:
    study = Study()
    study.store.left = 1 + next(
        index
        for index, event in enumerate(_log()[1:])
        if isinstance(event, JobStarted) and event.trial == CHILD
    )
    with pytest.raises(Killed):
        study.search()
    study.store.left = -1
    return study


def test_a_fork_is_in_the_log_only_once_its_origin_is_secured():
    study = killed_before_the_fork_began()
    assert origin_key(CHILD) in study.blobs.stored()
    assert study.search().failed == 0


def test_a_copy_that_a_crash_lost_is_made_again_before_the_parent_is_stopped():
    study = killed_before_the_fork_began()
    study.blobs.free(origin_key(CHILD))
    assert study.search().failed == 0


def test_no_checkpoint_is_left_at_the_end():
    study = Study()
    study.search()
    left = {key.split("/")[0] for key in study.blobs.stored()}
    assert left == {str(GRANDCHILD)}  # stopped by the study's end alone: it may be extended


def _log():
    study = Study()
    study.search()
    return list(study.store.read())


def test_the_parent_ends_where_its_fork_is_given():
    log = _log()
    (ended,) = [i for i, e in enumerate(log) if isinstance(e, Ended) and e.trial == PARENT]
    assert isinstance(log[ended - 1], JobStarted) and log[ended - 1].trial == CHILD
