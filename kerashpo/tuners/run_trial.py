"""Trials that go through a tuner's `run_trial` and its epoch hooks."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, final

import keras
from keras_tuner.engine import trial as kt

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Ended, Measured, Reached, Reported
from kerashpo.core.records import Decision, Failure, Report, Status
from kerashpo.executors.base import Emit, Runner
from kerashpo.executors.failures import classify, ends_search
from kerashpo.executors.messages import Failed, Message, Saving, WorkItem
from kerashpo.executors.serial import SerialExecutor
from kerashpo.training.factory import RunnerFactory
from kerashpo.training.folds import NO_DATA
from kerashpo.training.loops.user_fit import (
    as_epochs,
    as_metrics,
    as_runs,
    mean,
    overrides_fit,
    takes,
)
from kerashpo.training.randomness import seeded_own
from kerashpo.training.runner import KerasRunner
from kerashpo.training.settings import Settings
from kerashpo.tuners.fit_request import Arranger, Request
from kerashpo.tuners.hooks import Hooks
from kerashpo.tuners.oracle_view import OracleView

if TYPE_CHECKING:
    from kerashpo.training.hyperparameters import HyperParameters


class Interrupted(Exception):
    """Leaves the user's `run_trial` where the engine's training did not reach its end."""


@final
class TrialSession:
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
        self, task: WorkItem, emit: Emit, inner: KerasRunner, arranger: Arranger, tuner: Hooks
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
        self._inner.report_new_values(task.trial, hp, self._emit)
        terms = self._arranger.terms(args, kwargs, self._tuner, self.trial)
        self._inner.arrange(task.trial, terms)
        self._inner.train(replace(task, config=config), self._listen)
        if not isinstance(self.last, (Reached, Ended)):
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
            case Reached() | Ended() | Failed():
                self.last = message
                return Decision.CONTINUE
            case Reported(report):
                while len(self.histories) <= report.run:
                    self.histories.append(keras.callbacks.History())
                _extend(self.histories[report.run], report.epoch, report.metrics)
        return self._emit(message)


def _extend(history: keras.callbacks.History, epoch: int, metrics: Mapping[str, float]) -> None:
    history.epoch = [*getattr(history, "epoch", []), epoch - 1]
    for name, value in metrics.items():
        history.history.setdefault(name, []).append(value)


WHERE = "run_trial"


class RunningTrial(kt.Trial):
    """What `run_trial` gets: a trial of KerasTuner's, and the session that can train it."""

    def __init__(self, hp: HyperParameters, number: int, session: TrialSession) -> None:
        super().__init__(hp, str(number), "RUNNING")
        self.session = session


@final
class RunTrialRunner(Runner):
    """Calls a tuner's `run_trial` for each task and tells what came of it.

    Args:
        tuner: whose hooks to call.
        oracle: its view of the trials, which takes metrics while one runs.
        inner: trains where `run_trial` calls its parent.
        arranger: reads the arguments that it calls its parent with.
        settings: how trials are trained.
        planned: whether the tuner plans the epochs.
    """

    def __init__(
        self,
        tuner: Hooks,
        oracle: OracleView,
        inner: KerasRunner,
        arranger: Arranger,
        settings: Settings,
        planned: bool,
    ) -> None:
        self._tuner, self._oracle, self._inner = tuner, oracle, inner
        self._arranger, self._settings, self._planned = arranger, settings, planned

    def train(self, task: WorkItem, emit: Emit) -> None:
        hp = self._inner.parameters(task)
        session = TrialSession(task, emit, self._inner, self._arranger, self._tuner)
        session.trial = trial = RunningTrial(hp, task.trial, session)
        self._oracle.report_to = session.note
        try:
            with self._seeded(task):
                args, kwargs = self._arguments(task)
                result = self._tuner.run_trial(trial, *args, **kwargs)
            self._conclude(session, result, emit)
        except Interrupted:
            if session.last is not None:
                emit(session.last)
        except Exception as error:  # whatever the user's code raises fails its trial
            if ends_search(error):
                raise
            plain = isinstance(error, InvalidInput)
            failure = Failure("fit", str(error)) if plain else classify("fit", error)
            emit(Failed(task.trial, failure))
        finally:
            self._oracle.report_to = None

    def free(self, trial: int) -> None:
        self._inner.free(trial)

    def drop(self, trial: int) -> None:
        self._inner.drop(trial)

    def close(self) -> None:
        self._inner.close()

    def _seeded(self, task: WorkItem) -> Any:
        if not self._tuner._overrides("run_trial"):
            return contextlib.nullcontext()  # the engine seeds what it trains
        return seeded_own(self._settings.seed, task.trial)

    def _arguments(self, task: WorkItem) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Returns the search's arguments, with the planned epochs as in KerasTuner."""
        request = self._arranger.request
        kwargs = dict(request.kwargs)
        if not takes(self._tuner.run_trial, "verbose"):
            kwargs.pop("verbose", None)
        if self._planned and takes(self._tuner.run_trial, "epochs"):
            kwargs["epochs"] = task.until
        return request.args, kwargs

    def _conclude(self, session: TrialSession, result: Any, emit: Emit) -> None:
        self._inner.report_new_values(session.task.trial, session.trial.hyperparameters, emit)
        if session.last is None:
            self._report(session, result, emit)
            return
        if isinstance(session.last, (Reached, Ended)) and not session.is_own(result):
            metrics = self._metrics(result)
            for run, history in enumerate(session.histories):
                epoch = history.epoch[-1] + 1 if history.epoch else session.task.until
                emit(Measured(session.task.trial, run, epoch, metrics))
        emit(session.last)

    def _metrics(self, result: Any) -> dict[str, float]:
        name = self._settings.objective.name
        told = [as_metrics(one, name, WHERE, self._required) for one in as_runs(result, WHERE)]
        return self._weighed(mean(told))

    def _report(self, session: TrialSession, result: Any, emit: Emit) -> None:
        """Tells the epochs of a trial that the user's code trained."""
        task, name = session.task, self._settings.objective.name
        runs = self._runs(session, result)
        finite, last = True, 0
        for run, epochs in enumerate(runs):
            costs = []
            for epoch, metrics in epochs:
                whole = self._weighed(metrics)
                report = Report(task.trial, run, epoch, whole, time.perf_counter() - session.began)
                costs.append(self._settings.objective.cost(whole.get(name, math.nan)))
                # They are trained already: a pause comes too late, and would train them again.
                if emit(Reported(report)) is Decision.STOP:
                    return
            finite, last = finite and min(costs) < math.inf, max(last, epochs[-1][0])
        if not finite:
            emit(Failed(task.trial, Failure("nan", f"{name} was never finite")))
        elif last >= task.until:
            emit(Reached(task.trial))
        else:
            emit(Ended(task.trial, Status.COMPLETED, "ended by itself"))

    def _runs(self, session: TrialSession, result: Any) -> list[list[tuple[int, dict[str, float]]]]:
        name, required = self._settings.objective.name, self._required
        if result is None and session.noted:
            return [[(step + 1, metrics) for step, metrics in sorted(session.noted.items())]]
        runs = [as_epochs(one, name, WHERE, required) for one in as_runs(result, WHERE)]
        if not self._planned:
            return runs
        # One number under a tuner that plans epochs is the value at the end of the rung.
        until = session.task.until
        return [[(until, e[0][1])] if len(e) == 1 and e[0][0] == 1 else e for e in runs]

    @property
    def _required(self) -> str | None:
        name = self._settings.objective.name
        return None if name in self._settings.derived.names else name

    def _weighed(self, metrics: Mapping[str, float]) -> dict[str, float]:
        weighing = self._settings.derived.weighing
        whole = dict(metrics)
        if weighing is not None:
            whole[weighing.objective.name] = weighing.value(whole)
        return whole


def run_trial_executor(
    tuner: Any, oracle: OracleView, trainer: RunnerFactory, request: Request, planned: bool
) -> SerialExecutor:
    """Returns the executor of trials that go through methods of the tuner: this process.

    Args:
        tuner: whose `run_trial` and hooks are called.
        oracle: its view of the trials.
        trainer: builds what trains where `run_trial` calls its parent.
        request: what `search` was given.
        planned: whether the tuner plans the epochs.
    """
    read = not tuner._overrides("run_trial") and trainer.data.first is not NO_DATA
    arranger = Arranger(
        request, trainer.data if read else None, overrides_fit(tuner.hypermodel), planned
    )
    runner = RunTrialRunner(tuner, oracle, trainer(), arranger, trainer.settings, planned)
    return SerialExecutor(runner)
