"""One trial while its tuner's `run_trial` has it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, final

import keras

from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import Decision
from kerashpo.executors.base import Emit
from kerashpo.executors.messages import Epoch, Failed, Finished, Message, Reach, Saving, Task
from kerashpo.training.runner import KerasRunner
from kerashpo.tuners.arranging import Arranger
from kerashpo.tuners.hooks import Hooks


class Interrupted(Exception):
    """Leaves the user's `run_trial` where the engine's training did not reach its end."""


@final
class Session:
    """Trains the trial where `run_trial` calls its parent, and keeps the last word back.

    Args:
        task: what to do.
        emit: takes messages and answers.
        inner: trains.
        arranger: reads the arguments of `run_trial`.
        tuner: whose hooks are called.

    Attributes:
        trial: as `run_trial` sees it.
        last: the message that ends the task, held until `run_trial` returns.
        histories: of each run, what was trained.
        noted: metrics given to ``oracle.update_trial``, by step.
    """

    trial: Any

    def __init__(
        self, task: Task, emit: Emit, inner: KerasRunner, arranger: Arranger, tuner: Hooks
    ) -> None:
        self.task, self.began = task, time.perf_counter()
        self.last: Message | None = None
        self.histories: list[keras.callbacks.History] = []
        self.noted: dict[int, dict[str, float]] = {}
        self._emit, self._inner = emit, inner
        self._arranger, self._tuner = arranger, tuner

    def train(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
        """Trains the trial with these arguments of `fit`; returns a History a run.

        Raises:
            InvalidInput: if it was trained in this call of `run_trial` already.
            Interrupted: if the training did not reach the end of the task.
        """
        if self.last is not None:
            raise InvalidInput("run_trial trained this trial twice: call its parent once.")
        hp, task = self.trial.hyperparameters, self.task
        config = {**task.config, **hp.changed}
        self._inner.tell_growth(task.trial, hp, self._emit)
        terms = self._arranger.terms(args, kwargs, self._tuner, self.trial)
        self._inner.arrange(task.trial, terms)
        self._inner.run(replace(task, config=config), self._listen)
        if not isinstance(self.last, (Reach, Finished)):
            raise Interrupted
        return self.histories

    def note(self, trial_id: str, metrics: Mapping[str, float], step: int) -> None:
        """Keeps metrics that the user's code reports by ``oracle.update_trial``."""
        if trial_id != self.trial.trial_id:
            raise InvalidInput(f"Trial {trial_id} is not running, but {self.trial.trial_id} is.")
        self.noted[step] = {name: float(value) for name, value in metrics.items()}

    def is_own(self, result: Any) -> bool:
        """Whether `run_trial` returned what its parent did, or nothing else."""
        several = result if isinstance(result, list) else [result]
        ours = [id(history) for history in self.histories]
        return result is None or all(id(one) in ours for one in several)

    def _listen(self, message: Message | Saving) -> Decision:
        match message:
            case Reach() | Finished() | Failed():
                self.last = message
                return Decision.CONTINUE
            case Epoch(report):
                while len(self.histories) <= report.run:
                    self.histories.append(keras.callbacks.History())
                _extend(self.histories[report.run], report.epoch, report.metrics)
        return self._emit(message)


def _extend(history: keras.callbacks.History, epoch: int, metrics: Mapping[str, float]) -> None:
    history.epoch = [*getattr(history, "epoch", []), epoch - 1]
    for name, value in metrics.items():
        history.history.setdefault(name, []).append(value)
