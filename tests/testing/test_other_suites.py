"""The suites of stores and executors find what is broken."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import replace

import pytest

from kerashpo.core.events import Ended, Reported
from kerashpo.core.records import Decision, Fork, Start, Status
from kerashpo.executors.messages import Failed
from kerashpo.executors.serial import SerialExecutor
from kerashpo.store.base import MemoryStore, Store
from kerashpo.store.journal import JournalStore
from kerashpo.store.trial_checkpoints import free_checkpoints
from kerashpo.testing import NotConforming, executors, stores
from kerashpo.testing.stores import EVENTS


class Wrapped(Store):
    """The journal with a method of its own."""

    def __init__(self, path):
        self.inner = JournalStore(path)

    def append(self, event):
        self.inner.append(event)

    def read(self):
        return self.inner.read()

    def close(self):
        self.inner.close()


class SkipsTheFirst(Wrapped):
    def read(self):
        return itertools.islice(self.inner.read(), 1, None)


class Backwards(Wrapped):
    def read(self):
        return reversed(list(self.inner.read()))


class Invents(Wrapped):
    """Makes up an event at the end."""

    def read(self):
        return itertools.chain(self.inner.read(), EVENTS[:1])


class DropsNaN(Wrapped):
    def read(self):
        for event in self.inner.read():
            if isinstance(event, Reported):
                metrics = event.report.metrics
                if any(value != value for value in metrics.values()):
                    continue
            yield event


def in_memory(path):
    return MemoryStore()


def swallowing(path):
    """Takes a damaged file for an empty one."""
    try:
        with contextlib.closing(JournalStore(path)) as store:
            list(store.read())
    except Exception:
        return MemoryStore()
    return JournalStore(path)


@pytest.mark.parametrize(
    "make, check",
    [
        (SkipsTheFirst, "reads_what_was_appended"),
        (Backwards, "reads_what_was_appended"),
        (in_memory, "survives_reopening"),
        (in_memory, "has_one_writer"),
        (in_memory, "reports_damage"),
        (swallowing, "refuses_a_file_that_is_no_log"),
        (swallowing, "reports_damage"),
        (in_memory, "keeps_events_before_a_cut"),
        (Invents, "keeps_events_before_a_cut"),
    ],
)
def test_a_broken_store_is_found(make, check, tmp_path):
    with pytest.raises((NotConforming, FileNotFoundError)):
        getattr(stores, check)(make, tmp_path)


def test_a_store_that_loses_nan_is_found(tmp_path):
    with pytest.raises(ValueError, match="not enough values"):
        stores.keeps_nan(DropsNaN, tmp_path)


def test_the_unbroken_store_conforms(tmp_path):
    stores.check_store(Wrapped, tmp_path)


class Broken(SerialExecutor):
    """The serial executor, which passes messages on through `filtered`."""

    def __init__(self, runner, blobs=None, capacity=1):
        super().__init__(runner(), capacity, blobs)

    def poll(self, handle, timeout=None):
        super().poll(lambda message: [handle(m) for m in self.filtered(message)], timeout)

    def filtered(self, message):
        return [message]


class Deaf(Broken):
    def decide(self, trial, decision):
        super().decide(trial, Decision.CONTINUE)


class KeepsStoppedTasks(Broken):
    """Frees the checkpoint of a stopped trial, but leaves its task in the queue."""

    def decide(self, trial, decision):
        queue = [*self._queue]
        super().decide(trial, decision)
        if trial not in self._decisions:
            self._queue = type(self._queue)(queue)


class Silent(Broken):
    """Reports only every second epoch."""

    count = itertools.count()

    def filtered(self, message):
        return [] if isinstance(message, Reported) and next(self.count) % 2 else [message]


class HidesFailures(Broken):
    def filtered(self, message):
        return (
            [Ended(message.trial, Status.COMPLETED, "early stopping")]
            if isinstance(message, Failed)
            else [message]
        )


class HidesEnds(Broken):
    def filtered(self, message):
        return [Failed(message.trial, None)] if isinstance(message, Ended) else [message]


class TrainsTheWholeJob(Broken):
    def submit(self, tasks):
        super().submit([replace(task, until=task.job.until) for task in tasks])


class ForgetsParents(Broken):
    """Forks start from nothing, as a lost `origin` would have it."""

    def submit(self, tasks):
        again = [Start(t.trial, t.config, t.until) for t in tasks]
        lost = [replace(t, job=job, origin=None) for t, job in zip(tasks, again)]
        super().submit([new if old.origin else old for new, old in zip(lost, tasks)])


class Careless(Broken):
    """Does not secure what forks start from, and forgets it once it is past."""

    def __init__(self, runner, blobs=None):
        super().__init__(runner)
        self.blobs = blobs

    def submit(self, tasks):
        super().submit(tasks)
        for task in tasks:
            if isinstance(task.job, Fork):
                free_checkpoints(self.blobs, task.job.parent)


class SharesDecisions(Broken):
    """A decision about one trial of a group ends them all."""

    def decide(self, trial, decision):
        for each in list(self._decisions) or [trial]:
            super().decide(each, decision)


class Endless(Broken):
    def free(self):
        return 1


@pytest.mark.parametrize(
    "make, check",
    [
        (Silent, "reports_epochs_in_order"),
        (Silent, "continues_with_the_next_epoch"),
        (TrainsTheWholeJob, "stops_where_the_task_ends"),
        (Deaf, "obeys_decisions"),
        (Deaf, "drops_the_queued_task_of_a_stopped_trial"),
        (KeepsStoppedTasks, "drops_the_queued_task_of_a_stopped_trial"),
        (
            lambda make, blobs: KeepsStoppedTasks(make, blobs, 3),
            "drops_the_queued_task_of_a_stopped_trial",
        ),
        (Silent, "continues_after_a_pause"),
        (HidesFailures, "reports_failures"),
        (HidesEnds, "reports_early_ends"),
        (Endless, "counts_its_workers"),
        (ForgetsParents, "continues_the_parent_of_a_fork"),
        (ForgetsParents, "begins_an_interrupted_fork_at_its_parent"),
        (ForgetsParents, "refuses_a_fork_of_nothing"),
        (Careless, "forks_outlive_their_parent"),
        (Careless, "secures_what_a_fork_starts_from"),
        (Careless, "forks_an_epoch_that_the_parent_has_passed"),
        (
            lambda make, blobs: SharesDecisions(make, blobs, 3),
            "trains_each_of_a_group_independently",
        ),
    ],
)
def test_a_broken_executor_is_found(make, check):
    with pytest.raises(NotConforming):
        getattr(executors, check)(make)


def test_the_unbroken_executor_conforms():
    executors.check_executor(Broken)
