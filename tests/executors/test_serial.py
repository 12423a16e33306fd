"""This process: errors of the loop are not taken for failures of the trial."""

from __future__ import annotations

import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Reached, Reported
from kerashpo.core.records import Decision, Report, Start
from kerashpo.executors.base import Emit, Runner
from kerashpo.executors.messages import Failed, WorkItem
from kerashpo.executors.serial import SerialExecutor
from kerashpo.testing.curve_runner import CurveRunner


class Greedy(Runner):
    """Takes every exception for its trial's, as training by a user's code may."""

    def train(self, item: WorkItem, emit: Emit) -> None:
        try:
            emit(Reported(Report(item.trial, 0, 1, {"value": 1.0}, 1.0)))
        except Exception as error:
            emit(Failed(item.trial, error))

    def free(self, trial: int) -> None:
        return

    def drop(self, trial: int) -> None:
        return


def task(trial: int, until: int = 1) -> WorkItem:
    return WorkItem(Start(trial, {}, until), {}, until)


def test_an_error_of_the_loop_passes_by_the_code_that_trains():
    executor, said = SerialExecutor(Greedy()), []

    def handle(message):
        said.append(message)
        raise InvalidInput("the log cannot be written")

    executor.submit([task(0)])
    with pytest.raises(InvalidInput, match="the log cannot be written"):
        executor.poll(handle)
    assert [type(message) for message in said] == [Reported]
    assert executor.free() == 1


def test_after_such_an_error_it_can_be_used_again():
    executor, said = SerialExecutor(CurveRunner(lambda config, epoch: 1.0)), []
    executor.submit([task(0)])
    with pytest.raises(ZeroDivisionError):
        executor.poll(lambda message: 1 / 0)
    executor.submit([task(1)])
    executor.poll(said.append)
    assert said[-1] == Reached(1)


def test_items_of_one_signature_are_trained_together_and_answered_apart():
    runner, said = CurveRunner(together=True), []
    executor = SerialExecutor(runner, capacity=3)
    assert executor.free() == 3
    executor.submit([task(trial, until=3) for trial in range(3)])
    assert executor.free() == 0

    def handle(message):
        said.append(message)
        if len(said) == 2:
            executor.decide(1, Decision.PAUSE)
            executor.decide(2, Decision.STOP)

    executor.poll(handle)
    assert executor.free() == 3
    # An epoch of each in turn; a trial that was stopped reports no more.
    assert runner.trained == [(0, 1), (1, 1), (2, 1), (0, 2), (0, 3)]
    assert [m.trial for m in said] == [0, 1, 0, 0, 0] and said[-1] == Reached(0)
    assert runner.freed == [2]


def test_a_runner_that_trains_one_by_one_is_given_one_by_one():
    runner = CurveRunner()
    executor = SerialExecutor(runner, capacity=2)
    executor.submit([task(0, until=2), task(1, until=2)])
    executor.poll(lambda message: None)
    assert runner.trained == [(0, 1), (0, 2)] and executor.free() == 1
    executor.poll(lambda message: None)
    assert runner.trained[2:] == [(1, 1), (1, 2)]


def test_a_waiting_item_that_is_decided_on_is_not_trained():
    runner = CurveRunner()
    executor = SerialExecutor(runner, capacity=2)
    executor.submit([task(0), task(1)])
    executor.decide(1, Decision.STOP)
    assert executor.free() == 1 and runner.freed == [1]
    for _ in range(2):
        executor.poll(lambda message: None)
    assert runner.trained == [(0, 1)]


def test_the_capacity_is_checked():
    with pytest.raises(InvalidInput, match="capacity must be a whole number of at least 1"):
        SerialExecutor(CurveRunner(), capacity=0)
