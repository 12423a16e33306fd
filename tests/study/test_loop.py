"""The loop: bounds, retries, failures in a row, listeners, and what is appended when."""

from __future__ import annotations

import logging
import math

import pytest

from kerashpo.core.errors import ConsecutiveFailures
from kerashpo.core.events import (
    Assigned,
    Configured,
    Ended,
    JobStarted,
    Noted,
    Reached,
    SessionStarted,
    SpaceGrown,
)
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.core.records import Budget, Rung, Start, Status
from kerashpo.executors.base import Executor
from kerashpo.schedulers.full_training import Full
from kerashpo.schedulers.hyperband import Hyperband
from kerashpo.schedulers.successive_halving import Brackets, Halving
from kerashpo.space import Space, boolean, integer
from kerashpo.space.space import key
from kerashpo.store.base import MemoryStore
from kerashpo.study.listeners import Notifier
from kerashpo.study.loop import Limits, Loop
from kerashpo.study.state import StudyState
from kerashpo.testing import CurveStudy
from kerashpo.testing.curve_runner import wave


def limited(max_failures=None, max_retries=0, **budget):
    return Limits(Budget(**budget), max_retries, max_failures)


def fails_first(times):
    """A curve whose trials fail at their first epoch so often before it works."""
    seen: dict[object, int] = {}

    def curve(config, epoch):
        count = seen[key(config)] = seen.get(key(config), 0) + 1
        if count <= times:
            raise RuntimeError(f"attempt {count}")
        return wave(config, epoch)

    return curve


def boom(config, epoch):
    raise RuntimeError("boom")


def test_trials_are_bounded_failed_ones_included():
    search = CurveStudy(lambda: Full(2), fails_first(1), limits=limited(max_trials=5))
    history = search.history()
    assert (len(history.trials), history.failed) == (5, 5)
    assert history.stopped == "max_trials reached"


@pytest.mark.parametrize("total", [1, 4, 5, 9])
def test_epochs_are_bounded_exactly(total):
    history = CurveStudy(lambda: Full(4), limits=limited(max_epochs_total=total)).history()
    assert history.epochs == total
    assert history.stopped == "max_epochs_total reached"
    assert not history.running | history.paused


def test_a_raised_bound_continues_with_the_trial_that_was_cut():
    cut = CurveStudy(lambda: Full(4), limits=limited(max_epochs_total=6)).run()
    history = CurveStudy(lambda: Full(4), limits=limited(max_epochs_total=8)).history(cut)
    assert [trial.epochs for trial in history.trials.values()] == [4, 4]
    assert all(t.status is Status.COMPLETED for t in history.trials.values())


def test_minutes_end_a_search_and_a_running_trial():
    executor = Clockwork(seconds_per_poll=10)
    search = CurveStudy(
        lambda: Full(3), executor=lambda curve, done: executor, limits=limited(max_minutes=1)
    )
    history = search.history()
    assert history.stopped == "max_minutes reached"
    assert 60 <= history.now < 80


def test_minutes_are_summed_over_interruptions():
    search = CurveStudy(
        lambda: Full(3),
        executor=lambda curve, done: Clockwork(seconds_per_poll=10),
        limits=limited(max_minutes=1),
    )
    log = search.run()
    again = search.history(log)
    assert len(again.trials) == len(History(log).trials)


def test_a_failed_trial_is_tried_again():
    search = CurveStudy(
        lambda: Full(2), fails_first(2), limits=limited(max_retries=2, max_trials=3)
    )
    log = search.run()
    history = History(log)
    assert all(t.status is Status.COMPLETED for t in history.trials.values())
    assert [e.facts["retries"] for e in log if isinstance(e, Noted)] == [1, 2] * 3


def test_retries_end():
    history = CurveStudy(
        lambda: Full(2), boom, limits=limited(max_retries=2, max_trials=2)
    ).history()
    assert history.failed == 2


def test_failures_in_a_row_stop_the_search_with_the_last_one():
    search = CurveStudy(lambda: Full(1), boom, limits=limited(max_failures=3))
    with pytest.raises(
        ConsecutiveFailures, match=r"3 trials failed .*trial 2\): RuntimeError: boom"
    ):
        search.run()


def test_a_success_ends_the_row():
    values = iter([1.0, None] * 50)

    def every_other(config, epoch):
        if next(values) is None:
            raise RuntimeError("boom")
        return 1.0

    search = CurveStudy(lambda: Full(1), every_other, limits=limited(max_failures=2, max_trials=20))
    assert len(search.history().trials) == 20


def test_after_failures_in_a_row_the_search_continues():
    store = MemoryStore()
    for event in [CurveStudy(Full)._created()]:
        store.append(event)
    with pytest.raises(ConsecutiveFailures):
        _loop(store, boom, limited(max_failures=2)).run()
    log = list(store.read())
    assert History(log).failed == 2
    history = CurveStudy(lambda: Full(1), limits=limited(max_failures=2, max_trials=5)).history(log)
    assert (len(history.trials), history.failed) == (5, 2)


def _loop(store, curve, limits, listeners=()):
    search = CurveStudy(lambda: Full(1), curve, limits=limits)
    state = StudyState(Full(1), list(store.read()))
    algorithm = search.algorithm(search.space, 0)
    return Loop(state, store, lambda: algorithm, search._executor({}), limits, listeners)


class Broken(Listener):
    received = 0

    def on_event(self, event, snapshot):
        self.received += 1
        raise ValueError("listener broke")


class Counting(Listener):
    def __init__(self):
        self.events = []

    def on_event(self, event, snapshot):
        assert snapshot.now == event.at
        self.events.append(event)


def test_listeners_never_stop_a_study(caplog):
    store, broken, counting = MemoryStore(), Broken(), Counting()
    store.append(CurveStudy(Full)._created())
    loop = _loop(store, wave, limited(max_trials=3), [broken, counting])
    with caplog.at_level(logging.ERROR, "kerashpo"):
        loop.run()
    assert broken.received == 1
    assert counting.events == list(store.read())[1:]
    assert "is removed from this search" in caplog.text
    assert "listener broke" in caplog.text


def test_a_notifier_keeps_the_order_of_listeners():
    one, two = Counting(), Counting()
    event = SessionStarted(0.0)
    Notifier([one, two]).notify(event, History([event]))
    assert one.events == two.events == [event]


def test_an_event_is_in_the_store_before_anything_acts_on_it():
    store = MemoryStore()
    store.append(CurveStudy(Full)._created())

    class Checking(Listener):
        def on_event(self, event, snapshot):
            assert list(store.read())[-1] is event

    loop = _loop(store, wave, limited(max_trials=2), [Checking()])
    loop.run()
    assert any(isinstance(event, Ended) for event in store.read())


def test_a_space_that_grows_is_searched_whole():
    history = CurveStudy(
        lambda: Full(1),
        space=Space({"n": integer(1, 2)}),
        executor=lambda curve, done: Growing(),
        limits=limited(max_trials=20),
    ).history()
    assert {key(t.config) for t in history.trials.values()} == {
        (("n", n), ("wide", wide)) for n in (1, 2) for wide in (False, True)
    }
    assert history.stopped == "space exhausted"
    assert len(history.space["params"]) == 2
    assert len(history.first_space["params"]) == 1


def kinds(log):
    return [type(event).__name__ for event in log]


def test_that_the_algorithm_has_no_more_is_an_event_and_the_losers_end_with_it():
    log = CurveStudy(lambda: Halving(9, 3), limits=limited(max_trials=5)).run()
    assert kinds(log).count("AlgorithmExhausted") == 1
    at = kinds(log).index("AlgorithmExhausted")
    assert log[at].reason == "max_trials reached"
    # Five of nine trials have one epoch each; one of five is promoted, four lose.
    assert kinds(log)[at + 1 : at + 6] == ["Ended"] * 4 + ["JobStarted"]


def test_a_new_session_asks_the_algorithm_again():
    log = CurveStudy(lambda: Hyperband(9, 3), limits=limited(max_trials=5)).run()
    assert History(log).exhausted == "max_trials reached"
    more = CurveStudy(lambda: Hyperband(9, 3), limits=limited(max_trials=30)).run(log)
    first = History(log).next_trial
    # The bracket of nine continued with five of them; the later ones, of five and three, are whole.
    assert (first, History(more).next_trial) == (5, 5 + 5 + 3)
    assert kinds(more[len(log) :]).count("AlgorithmExhausted") == 0
    assert kinds(more).count("AlgorithmExhausted") == 1


def test_a_bracket_that_nobody_left_takes_more_trials_when_the_bound_is_raised():
    """One rung of nine trials: five of them have ended, and four more fit."""
    one = lambda: Brackets(((Rung(9, 3),),))
    log = CurveStudy(one, limits=limited(max_trials=5)).run()
    more = CurveStudy(one, limits=limited(max_trials=30)).history(log)
    assert (History(log).next_trial, more.next_trial, more.stopped) == (5, 9, "finished")


def test_a_scheduler_that_answers_exhausted_again_ends_the_search():
    class Stubborn(Full):
        def next_job(self, algorithm, history):
            return self.propose(algorithm, history, 1)

    history = CurveStudy(lambda: Stubborn(1), limits=limited(max_trials=2)).history()
    assert (len(history.trials), history.stopped) == (2, "max_trials reached")


def test_ended_trials_do_not_run_again():
    log = CurveStudy(lambda: Hyperband(9, 3)).run()
    again = CurveStudy(lambda: Hyperband(9, 3)).run(log)
    assert not [e for e in again[len(log) :] if isinstance(e, (JobStarted, Reached))]


def test_nan_is_no_obstacle_to_the_best():
    history = CurveStudy(
        lambda: Full(2), lambda c, e: math.nan if e == 1 else 1.0, limits=limited(max_trials=2)
    ).history()
    assert history.best.score == 1.0


class Clockwork(Executor):
    """One worker whose tasks end at the next poll, on a clock that steps."""

    def __init__(self, seconds_per_poll):
        self._step, self._clock, self._task = seconds_per_poll, 0.0, None

    def submit(self, tasks):
        (self._task,) = tasks

    def free(self):
        return int(self._task is None)

    def poll(self, handle, timeout=None):
        self._clock += self._step
        task, self._task = self._task, None
        done = Ended(task.trial, Status.COMPLETED, "early stopping")
        handle(done if self._step else Reached(task.trial))

    def decide(self, trial, decision):
        return

    def now(self):
        return self._clock

    def close(self):
        return


class Growing(Clockwork):
    """Its first trial asks for a parameter that the space does not know."""

    def __init__(self):
        super().__init__(seconds_per_poll=0)
        self._grew = False

    def poll(self, handle, timeout=None):
        if not self._grew:
            self._grew = True
            body = {"name": "wide", **boolean().to_json()}
            handle(SpaceGrown(self._task.trial, (body,)))
            handle(Configured(self._task.trial, {"wide": True}))
        super().poll(handle, timeout)


class Crowd(Clockwork):
    """Several workers; a task that comes when all are busy waits for one."""

    def __init__(self, workers):
        super().__init__(seconds_per_poll=1)
        self._tasks, self._workers, self._queue = {}, workers, []

    def submit(self, tasks):
        self._queue += [task.trial for task in tasks]
        self._hand_out()

    def free(self):
        return self._workers + 1 - len(self._tasks) - len(self._queue)

    def assignments(self):
        return {trial: worker for worker, trial in self._tasks.items()}

    def poll(self, handle, timeout=None):
        worker = max(self._tasks, key=self._tasks.get)
        handle(Reached(self._tasks.pop(worker)))
        self._hand_out()

    def _hand_out(self):
        for worker in range(self._workers):
            if worker not in self._tasks and self._queue:
                self._tasks[worker] = self._queue.pop(0)


def test_which_worker_has_a_trial_is_recorded_when_it_is_known():
    log = CurveStudy(
        lambda: Full(1), executor=lambda curve, done: Crowd(2), limits=limited(max_trials=4)
    ).run()
    assigned = [(event.trial, event.worker) for event in log if isinstance(event, Assigned)]
    # The third trial waits until the second one is over, and has its worker then.
    assert assigned == [(0, 0), (1, 1), (2, 1), (3, 1)]
    begun = next(n for n, e in enumerate(log) if isinstance(e, JobStarted) and e.trial == 2)
    waiting = History(log[: begun + 1])
    assert {n: waiting.trials[n].worker for n in waiting.running} == {0: 0, 1: 1, 2: None}


def test_one_worker_needs_no_number():
    log = CurveStudy(lambda: Full(1), limits=limited(max_trials=2)).run()
    assert "Assigned" not in kinds(log)


class SlowStart(Clockwork):
    """Its worker is not free before the third poll."""

    def __init__(self):
        super().__init__(seconds_per_poll=1)
        self._polls = 0

    def free(self):
        return super().free() if self._polls >= 3 else 0

    def poll(self, handle, timeout=None):
        self._polls += 1
        if self._task is not None:
            super().poll(handle, timeout)


def test_workers_that_start_slowly_are_polled():
    history = CurveStudy(
        lambda: Full(1), executor=lambda curve, done: SlowStart(), limits=limited(max_trials=2)
    ).history()
    assert len(history.trials) == 2


def test_a_start_names_its_configuration():
    log = CurveStudy(lambda: Full(1), limits=limited(max_trials=1)).run()
    (job,) = [event.job for event in log if isinstance(event, JobStarted)]
    assert isinstance(job, Start)
    assert job.config == History(log).trials[0].config
