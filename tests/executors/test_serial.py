"""This process: errors of the loop are not taken for failures of the trial."""

from __future__ import annotations

import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Reached, Reported
from kerashpo.core.records import Report, Start
from kerashpo.executors.base import Emit, Runner
from kerashpo.executors.messages import Failed, WorkItem
from kerashpo.executors.serial import SerialExecutor
from kerashpo.testing.curve_runner import CurveRunner


class Greedy(Runner):
    """Takes every exception for its trial's, as training by a user's code may."""

    def run(self, task: WorkItem, emit: Emit) -> None:
        try:
            emit(Reported(Report(task.trial, 0, 1, {"value": 1.0}, 1.0)))
        except Exception as error:
            emit(Failed(task.trial, error))

    def free(self, trial: int) -> None:
        return

    def drop(self, trial: int) -> None:
        return


def task(trial: int) -> WorkItem:
    return WorkItem(Start(trial, {}, 1), {}, 1)


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
