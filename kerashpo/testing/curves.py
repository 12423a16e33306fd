"""A runner that trains nothing: its epochs are values of a function."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias, final

from kerashpo.core.records import Config, Decision, Failure, Report, Start
from kerashpo.executors.base import Emit, Runner
from kerashpo.executors.messages import Epoch, Failed, Finished, Message, Reach, Task

Curve: TypeAlias = Callable[[Config, int], "float | Mapping[str, float] | None"]
"""The objective (or all metrics) of a configuration after so many epochs, counted from 1.

None ends the trial by itself, as early stopping does; an exception fails it.
"""

METRIC = "value"
"""The name of a bare number of a `Curve`."""


def messages(curve: Curve, task: Task, done: int) -> Iterator[Message]:
    """Yields what a worker says that trains a task from epoch `done` on.

    Every epoch takes one second of the trial's own time.
    """
    for epoch in range(done + 1, task.until + 1):
        try:
            value = curve(task.config, epoch)
        except Exception as error:  # a curve that raises stands for training that does
            yield Failed(task.trial, Failure("fit", f"{type(error).__name__}: {error}"))
            return
        if value is None:
            yield Finished(task.trial)
            return
        metrics = value if isinstance(value, Mapping) else {METRIC: value}
        yield Epoch(Report(task.trial, 0, epoch, metrics, float(epoch)))
    yield Reach(task.trial)


def wave(config: Config, epoch: int) -> float:
    """A curve to minimise whose order of configurations changes as it falls."""
    height = math.fsum(_number(name, value) for name, value in config.items())
    return math.sin(height) + (2.0 + math.cos(7 * height)) / epoch


def _number(name: str, value: object) -> float:
    if isinstance(value, (int, float)):
        return len(name) * float(value)
    return float(sum(map(ord, str(value)))) / 7


@final
class CurveRunner(Runner):
    """Trains a `Curve`; its checkpoint is the number of the last epoch.

    Attributes:
        trained: every (trial, epoch) in the order of training, repeats included.
        freed: the trials whose checkpoints were freed, in that order.
    """

    def __init__(self, curve: Curve = wave) -> None:
        self._curve = curve
        self._done: dict[int, int] = {}
        self.trained: list[tuple[int, int]] = []
        self.freed: list[int] = []

    def run(self, task: Task, emit: Emit) -> None:
        done = 0 if isinstance(task.job, Start) else self._done.get(task.trial, 0)
        for message in messages(self._curve, task, done):
            if isinstance(message, Epoch):
                self._done[task.trial] = message.report.epoch
                self.trained.append((task.trial, message.report.epoch))
            if emit(message) is not Decision.CONTINUE:
                return

    def free(self, trial: int) -> None:
        self._done.pop(trial, None)
        self.freed.append(trial)
