"""The conformance suite of executors."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final, TypeAlias

from kerashpo.core.events import Ended, Reached, Reported
from kerashpo.core.records import Config, Decision, Fork, Job, Resume, Start
from kerashpo.executors.base import Executor, Runner
from kerashpo.executors.messages import Failed, Message, WorkItem
from kerashpo.executors.pool.worker_pool import PoolSettings, WorkerPool
from kerashpo.executors.processes.pipe_transport import ProcessTransport
from kerashpo.executors.processes.resources import available_cores, places
from kerashpo.executors.serial import SerialExecutor
from kerashpo.store.base import Blobs
from kerashpo.store.blobs import FileBlobs
from kerashpo.testing.cases import NotConforming, require
from kerashpo.testing.curve_runner import Curve, CurveRunner, wave

Make: TypeAlias = Callable[[Callable[[], Runner], Blobs], Executor]
"""Builds an executor from a factory of its runner, which can be pickled, and its checkpoints."""


def _processes(workers: int, waits: bool) -> Make:
    where = places(workers, available_cores())
    settings = PoolSettings(waits)
    return lambda runner, blobs: WorkerPool(ProcessTransport(runner, where), settings, blobs)


CASES: Final[dict[str, Make]] = {
    "serial": lambda runner, blobs: SerialExecutor(runner(), 1, blobs),
    "serial, three at once": lambda runner, blobs: SerialExecutor(runner(), 3, blobs),
    "processes": _processes(2, waits=False),
    "processes that wait": _processes(2, waits=True),
}
"""The executors of the package that train in real time, by name."""

_POLLS = 1000
_FORK = 9
_FAR = 50
"""More epochs than are reported before a decision arrives."""


def reports_epochs_in_order(make: Make) -> None:
    """Each task reports its epochs 1, 2, ... and finally that it reached its end."""
    with_tasks = [_start(trial, until=3) for trial in range(3)]
    for sent in _run(make, wave, with_tasks).values():
        epochs = [message.report.epoch for message in sent if isinstance(message, Reported)]
        require(epochs == [1, 2, 3], f"epochs arrived as {epochs}")
        require(isinstance(sent[-1], Reached), f"the last message was {sent[-1]!r}")


def continues_with_the_next_epoch(make: Make) -> None:
    """A resumed trial continues with the next epoch, with the values of an uninterrupted run."""
    tasks = [_start(0, until=2), _start(1, until=1), _task(Resume(0, 4), until=4)]
    values = _values(_run(make, wave, tasks)[0])
    unbroken = _values(_run(make, wave, [_start(0, until=4)])[0])
    require(values == unbroken, f"in two parts {values}, uninterrupted {unbroken}")


def stops_where_the_task_ends(make: Make) -> None:
    """A task ends at `WorkItem.until`, not at the epoch of its job."""
    task = WorkItem(Start(0, _config(0), 9), _config(0), 2)
    epochs = len(_values(_run(make, wave, [task])[0]))
    require(epochs == 2, f"{epochs} epochs trained where the task ended after 2")


def obeys_decisions(make: Make) -> None:
    """PAUSE and STOP end a running task early, and no further message follows."""
    for decision in (Decision.PAUSE, Decision.STOP):
        sent = _run(make, wave, [_start(0, until=_FAR)], answer={(0, 2): decision})[0]
        require(
            len(sent) < _FAR, f"{decision} after epoch 2 took effect after {len(sent)} messages"
        )


def drops_the_queued_task_of_a_stopped_trial(make: Make) -> None:
    """A trial that is stopped before its task began is not trained, and sends no message."""
    with _executor(make, wave) as executor:
        queued = [_start(trial, until=2) for trial in range(min(_wait_until_free(executor), 3))]
        executor.submit(queued)
        *others, stopped = [task.trial for task in queued]
        executor.decide(stopped, Decision.STOP)
        sent = _drain(executor, [_start(_FORK, until=1)], {}, waiting=set(others))
    require(stopped not in sent, f"after STOP a queued trial sent {sent.get(stopped)}")
    for trial in others:
        require(isinstance(sent[trial][-1], Reached), f"trial {trial} did not reach its end")


def continues_after_a_pause(make: Make) -> None:
    """A paused trial resumes with the epoch after the last one that it reported."""
    with _executor(make, wave) as executor:
        first = _drain(executor, [_start(0, until=_FAR)], {(0, 2): Decision.PAUSE})[0]
        seen = len(_values(first))
        second = _drain(executor, [_task(Resume(0, seen + 2), until=seen + 2)], {})[0]
    epochs = list(_values(second))
    require(epochs == [seen + 1, seen + 2], f"paused after {seen}, it continued with {epochs}")


def reports_failures(make: Make) -> None:
    """A trial that raises is reported as failed, and the next task runs."""
    sent = _run(make, _fails_at_two, [_start(0, until=3), _start(1, until=1)])
    require(isinstance(sent[0][-1], Failed), f"after an exception it sent {sent[0][-1]!r}")
    require(isinstance(sent[1][-1], Reached), "the task after a failed one did not run")


def reports_early_ends(make: Make) -> None:
    """A trial that ends by early stopping is reported as ended."""
    sent = _run(make, _ends_after_two, [_start(0, until=9)])[0]
    require(isinstance(sent[-1], Ended), f"the last message was {sent[-1]!r}")
    require(len(_values(sent)) == 2, "it did not report the epochs before the end")


def counts_its_workers(make: Make) -> None:
    """`free` counts idle workers; `poll` returns when nothing runs; the clock never goes back."""
    with _executor(make, wave) as executor:
        before = executor.now()
        free = _wait_until_free(executor)
        executor.submit([_start(0, until=1)])
        require(executor.free() == free - 1, f"{free} free, {executor.free()} after one task")
        _drain(executor, [], {}, waiting={0})
        require(executor.free() >= free, f"{free} free before, {executor.free()} after")
        executor.poll(lambda message: None, timeout=0.01)
        require(executor.now() >= before, "the clock went back")


def trains_each_of_a_group_independently(make: Make) -> None:
    """Trials that a runner trains together have their own curves and decisions."""
    tasks = [_start(trial, until=4) for trial in range(3)]
    with _executor(make, wave, together=True) as executor:
        sent = _drain(executor, tasks, {(1, 2): Decision.STOP})
        again = _drain(executor, [_task(Resume(0, 6), until=6)], {})
    for trial in (0, 2):
        values = _values(sent[trial])
        alone = _values(_run(make, wave, [_start(trial, until=4)])[trial])
        require(values == alone, f"trial {trial} in a group {values}, alone {alone}")
        require(isinstance(sent[trial][-1], Reached), f"trial {trial} did not reach its end")
    require(list(_values(again[0])) == [5, 6], "a trial of a group did not continue from its end")
    stopped = sent[1][-1]
    require(not isinstance(stopped, Failed), f"a stopped trial of a group ended with {stopped!r}")


def continues_the_parent_of_a_fork(make: Make) -> None:
    """A fork continues after its parent's epoch; with the parent's values it has its curve."""
    with _executor(make, wave) as executor:
        _drain(executor, [_start(0, until=2)], {})
        sent = _drain(executor, [_fork(until=4), _task(Resume(0, 4), until=4)], {})
    parent, fork = _values(sent[0]), _values(sent[_FORK])
    require(list(fork) == [3, 4], f"a fork after epoch 2 trained {fork}")
    require(fork == parent, f"a fork with its parent's values trained {fork}, that {parent}")


def forks_outlive_their_parent(make: Make) -> None:
    """The state that a fork starts from is kept from `submit` on, even if the parent stops."""
    with _executor(make, wave) as executor:
        _drain(executor, [_start(0, until=2)], {})
        executor.submit([_fork(until=3)])
        executor.decide(0, Decision.STOP)
        fork = _values(_drain(executor, [], {}, waiting={_FORK})[_FORK])
    require(list(fork) == [3], f"a fork of a trial that was stopped then trained {fork}")


def forks_an_epoch_that_the_parent_has_passed(make: Make) -> None:
    """The state at the end of the parent's last job can be forked while the parent trains on."""
    with _executor(make, wave) as executor:
        tasks = [_start(0, until=2), _task(Resume(0, _FAR), until=_FAR)]
        _drain(executor, tasks, {(0, 5): Decision.PAUSE})
        fork = _values(_drain(executor, [_fork(until=3)], {})[_FORK])
    require(list(fork) == [3], f"a fork of an epoch before the parent's last trained {fork}")


def secures_what_a_fork_starts_from(make: Make) -> None:
    """From `secure` on the fork can be submitted, even if the parent ends."""
    with _executor(make, wave) as executor:
        _drain(executor, [_start(0, until=2)], {})
        executor.secure({_FORK: (0, 2)})
        executor.decide(0, Decision.STOP)
        fork = _values(_drain(executor, [_fork(until=3)], {})[_FORK])
    require(list(fork) == [3], f"a fork that was secured before its parent ended trained {fork}")


def begins_an_interrupted_fork_at_its_parent(make: Make) -> None:
    """A fork without a checkpoint of its own starts from its parent, not from scratch."""
    again = WorkItem(Resume(_FORK, 4), _config(0), 4, origin=(0, 2))
    with _executor(make, wave) as executor:
        _drain(executor, [_start(0, until=2)], {})
        fork = _values(_drain(executor, [again], {})[_FORK])
    require(list(fork) == [3, 4], f"an interrupted fork after epoch 2 trained {fork}")


def refuses_a_fork_of_nothing(make: Make) -> None:
    """A fork whose parent has no such state fails, and trains nothing."""
    with _executor(make, wave) as executor:
        _drain(executor, [_start(0, until=1)], {})
        sent = _drain(executor, [_fork(until=4)], {})[_FORK]
    require(isinstance(sent[-1], Failed), f"a fork of nothing ended with {sent[-1]!r}")
    require(not _values(sent), f"a fork of nothing trained {_values(sent)}")


CHECKS: Final[tuple[Callable[[Make], None], ...]] = (
    reports_epochs_in_order,
    continues_with_the_next_epoch,
    stops_where_the_task_ends,
    obeys_decisions,
    drops_the_queued_task_of_a_stopped_trial,
    continues_after_a_pause,
    reports_failures,
    reports_early_ends,
    counts_its_workers,
    trains_each_of_a_group_independently,
    continues_the_parent_of_a_fork,
    forks_outlive_their_parent,
    secures_what_a_fork_starts_from,
    forks_an_epoch_that_the_parent_has_passed,
    begins_an_interrupted_fork_at_its_parent,
    refuses_a_fork_of_nothing,
)


def check_executor(make: Make) -> None:
    """Runs every check.

    Raises:
        NotConforming: for the first check that fails.
    """
    for check in CHECKS:
        check(make)


def _config(trial: int) -> Config:
    return {"x": trial}


def _task(job: Job, until: int) -> WorkItem:
    return WorkItem(job, _config(job.trial), until)


def _start(trial: int, until: int) -> WorkItem:
    return _task(Start(trial, _config(trial), until), until)


def _fork(until: int) -> WorkItem:
    """Returns a fork of trial 0 after epoch 2, with trial 0's values."""
    return WorkItem(Fork(_FORK, 0, 2, _config(0), until), _config(0), until)


def _fails_at_two(config: Config, epoch: int) -> float:
    if epoch == 2:
        raise RuntimeError("epoch 2 fails")
    return wave(config, epoch)


def _ends_after_two(config: Config, epoch: int) -> float | None:
    return None if epoch > 2 else wave(config, epoch)


def _values(sent: list[Message]) -> dict[int, float]:
    reports = (message.report for message in sent if isinstance(message, Reported))
    return {report.epoch: next(iter(report.metrics.values())) for report in reports}


def _run(
    make: Make,
    curve: Curve,
    tasks: list[WorkItem],
    answer: dict[tuple[int, int], Decision] | None = None,
) -> dict[int, list[Message]]:
    with _executor(make, curve) as executor:
        return _drain(executor, tasks, answer or {})


@contextmanager
def _executor(make: Make, curve: Curve, together: bool = False) -> Iterator[Executor]:
    with tempfile.TemporaryDirectory() as folder:
        blobs = FileBlobs(folder)
        executor = make(partial(CurveRunner, curve, blobs, together), blobs)
        try:
            yield executor
        finally:
            executor.close()


def _wait_until_free(executor: Executor) -> int:
    """Returns `free` once a worker is idle: workers that are still starting do not count."""
    for _ in range(_POLLS):
        if executor.free() > 0:
            break
        executor.poll(lambda message: None, timeout=0.1)
    return executor.free()


def _drain(
    executor: Executor,
    tasks: list[WorkItem],
    answer: dict[tuple[int, int], Decision],
    waiting: set[int] | None = None,
) -> dict[int, list[Message]]:
    """Runs tasks, a trial's tasks one after another, and returns the messages by trial.

    Args:
        executor: the executor.
        tasks: in this order; a trial's second task waits for its first one.
        answer: decisions by the (trial, epoch) of the report that they follow.
        waiting: trials submitted before.
    """
    sent: dict[int, list[Message]] = {}
    running = set(waiting or ())
    left = list(tasks)

    def handle(message: Message) -> None:
        sent.setdefault(message.trial, []).append(message)
        if isinstance(message, Reported):
            decision = answer.get((message.trial, message.report.epoch))
            if decision is not None:
                executor.decide(message.trial, decision)
                running.discard(message.trial)
        else:
            running.discard(message.trial)

    for _ in range(_POLLS):
        while left and left[0].trial not in running and executor.free() > 0:
            task = left.pop(0)
            running.add(task.trial)
            executor.submit([task])
        if not left and not running and not executor.busy():
            return sent
        executor.poll(handle, timeout=0.1)
    raise NotConforming(f"after {_POLLS} polls trials {sorted(running)} had not ended")
