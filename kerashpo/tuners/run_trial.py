"""Trains trials by a tuner's `run_trial` and its epoch hooks."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, final

import keras
from keras_tuner.engine import trial as kt

from kerashpo.core.errors import InvalidInput, UnusableResult
from kerashpo.core.events import Ended, Measured, Reached, Reported
from kerashpo.core.limits import SIZE_ARGUMENT
from kerashpo.core.records import Config, Decision, Failure, Report, Status
from kerashpo.executors.base import Emit, Runner
from kerashpo.executors.failures import classify, ends_search
from kerashpo.executors.messages import Failed, Message, Saving, WorkItem
from kerashpo.executors.serial import SerialExecutor
from kerashpo.training.factory import RunnerFactory
from kerashpo.training.folds import NO_DATA
from kerashpo.training.loops.user_fit import (
    as_epochs,
    as_runs,
    mean,
    overrides_fit,
    takes,
)
from kerashpo.training.randomness import seeded_own
from kerashpo.training.runner import KerasRunner
from kerashpo.training.settings import Settings
from kerashpo.tuners.fit_request import Request, TrialDataFactory
from kerashpo.tuners.hooks import Hooks
from kerashpo.tuners.oracle_view import EPOCHS, INITIAL_EPOCH, OracleView, TrialValues

if TYPE_CHECKING:
    from kerashpo.training.hyperparameters import HyperParameters


class Interrupted(Exception):
    """Raised to leave the user's `run_trial` if the training did not reach its end."""


@final
class TrialSession:
    """Trains the trial inside `run_trial`; the final message is held until `run_trial` returns.

    Each call of the parent's `run_trial` is a run of the trial, so that a loop over folds is
    cross-validation.

    Args:
        task: the work item.
        emit: passes messages on and returns decisions.
        inner: trains.
        arranger: reads the arguments of `run_trial`.
        tuner: the tuner whose hooks are called.
        runs: how many runs one call trains.
        logged: the reports of earlier jobs of the trial, by run.

    Attributes:
        trial: the trial that is passed to `run_trial`.
        last: the message that ends the task, None before the trial was trained.
        by_run: for each run, every epoch that was trained.
        noted: metrics passed to ``oracle.update_trial``, by step.
    """

    trial: Any

    def __init__(
        self,
        task: WorkItem,
        emit: Emit,
        inner: KerasRunner,
        arranger: TrialDataFactory,
        tuner: Hooks,
        runs: int = 1,
        logged: Mapping[int, Mapping[int, Report]] | None = None,
    ) -> None:
        self.task, self.began = task, time.perf_counter()
        self.last: Message | None = None
        self.by_run: dict[int, keras.callbacks.History] = {}
        self.noted: dict[int, dict[str, float]] = {}
        self._emit, self._inner = emit, inner
        self._data_factory, self._tuner, self._runs = arranger, tuner, runs
        self._logged = logged or {}
        self._config: Config | None = None

    def train(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
        """Trains the next run (or runs) of the trial; returns a History for each.

        Args:
            args: the positional arguments of `fit`.
            kwargs: the keyword arguments of `fit`.

        Raises:
            InvalidInput: if the trial cannot be trained again: another configuration, or a
                run that did not reach its end.
            Interrupted: if the training did not reach the end of the task.
        """
        hp, task = self.trial.hyperparameters, self.task
        config = {**(self._config or task.config), **hp.changed}
        self._require_same(config)
        self._inner.report_new_values(task.trial, hp, self._emit)
        trial_data = self._data_factory.trial_data(args, kwargs, self._tuner, self.trial)
        before, first = self.last, len(self.by_run)
        runs = [first + run for run in task.runs(self._runs)]
        self.by_run |= {run: self._history(run) for run in runs}
        self._inner.set_trial_data(task.trial, replace(trial_data, first_run=first))
        self._inner.train(replace(task, config=config), self._listen)
        if not isinstance(self.last, (Reached, Ended)):
            raise Interrupted
        if isinstance(before, Ended):
            self.last = before  # a run that ended early ends the trial
        return [self.by_run[run] for run in runs]

    def _require_same(self, config: Config) -> None:
        """Checks that a further run trains the same configuration as the earlier ones."""
        if self.by_run and (not isinstance(self.last, (Reached, Ended))):
            raise InvalidInput(
                "run_trial called its parent again after a run that failed or was interrupted: "
                "leave run_trial then, the search handles it. For cross-validation of arrays "
                "pass cv=5 to the tuner instead."
            )
        if self.by_run and config != self._config:
            changed = [name for name in config if config[name] != (self._config or {}).get(name)]
            raise InvalidInput(
                "run_trial called its parent again with other values of "
                f"{', '.join(map(repr, changed))}: the runs of a trial train one configuration, "
                "and their mean is its score. Set the values before the first run. For "
                "cross-validation of arrays pass cv=5 to the tuner instead."
            )
        self._config = config

    def _history(self, run: int) -> keras.callbacks.History:
        history = keras.callbacks.History()
        history.epoch = []
        for epoch, report in sorted(self._logged.get(run, {}).items()):
            _extend(history, epoch, report.metrics)
        return history

    def note(self, trial_id: str, metrics: Mapping[str, float], step: int) -> None:
        """Records metrics that the user's code passes to ``oracle.update_trial``."""
        if trial_id != self.trial.trial_id:
            raise InvalidInput(f"Trial {trial_id} is not running, but {self.trial.trial_id} is.")
        self.noted[step] = {name: float(value) for name, value in metrics.items()}

    def is_own(self, result: Any) -> bool:
        """Whether `run_trial` returned what its parent returned, or nothing."""
        several = result if isinstance(result, list) else [result]
        ours = {id(history) for history in self.by_run.values()}
        ours |= {id(history.history) for history in self.by_run.values()}
        return result is None or all(id(one) in ours for one in several)

    def _listen(self, message: Message | Saving) -> Decision:
        match message:
            case Reached() | Ended() | Failed():
                self.last = message
                return Decision.CONTINUE
            case Reported(report):
                history = self.by_run[report.run]
                if report.epoch - 1 not in history.epoch:
                    _extend(history, report.epoch, report.metrics)
        return self._emit(message)


def _extend(history: keras.callbacks.History, epoch: int, metrics: Mapping[str, float]) -> None:
    history.epoch.append(epoch - 1)
    for name, value in metrics.items():
        history.history.setdefault(name, []).append(value)


WHERE = "run_trial"


class RunningTrial(kt.Trial):
    """A trial of KerasTuner with the session that trains it; the argument of `run_trial`.

    Args:
        hp: the trial's values.
        session: trains it.
    """

    def __init__(self, hp: HyperParameters, session: TrialSession) -> None:
        super().__init__(hp, str(session.task.trial), "RUNNING")
        self.session = session


@final
class RunTrialRunner(Runner):
    """Runner that calls a tuner's `run_trial` for each task and reports its result.

    Args:
        tuner: the tuner whose hooks are called.
        oracle: its oracle, which records metrics while a trial runs.
        inner: trains if `run_trial` calls its parent.
        arranger: reads the arguments that are passed to the parent.
        settings: the training settings.
        planned: whether the tuner plans the epochs.
    """

    def __init__(
        self,
        tuner: Hooks,
        oracle: OracleView,
        inner: KerasRunner,
        arranger: TrialDataFactory,
        settings: Settings,
        planned: bool,
    ) -> None:
        self._tuner, self._oracle, self._inner = tuner, oracle, inner
        self._data_factory, self._settings, self._planned = arranger, settings, planned

    def train(self, task: WorkItem, emit: Emit) -> None:
        hp = self._inner.parameters(task)
        logged = self._oracle.reports(task.trial)
        if self._planned:
            done = min((max(run) for run in logged.values()), default=0)
            hp.values = TrialValues(hp.values, {EPOCHS: task.until, INITIAL_EPOCH: done})
        session = TrialSession(
            task, emit, self._inner, self._data_factory, self._tuner, self._settings.runs, logged
        )
        session.trial = trial = RunningTrial(hp, session)
        self._oracle.report_to = session.note
        try:
            with self._seeded(task):
                args, kwargs = self._arguments(task)
                result = self._tuner.run_trial(trial, *args, **kwargs)
            self._conclude(session, result, emit)
        except Interrupted:
            if session.last is not None:
                emit(session.last)
        except Exception as error:  # any exception of the user's code fails its trial
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
        """Returns the arguments of `search`, with the planned epochs as in KerasTuner."""
        request = self._data_factory.request
        kwargs = dict(request.kwargs)
        if not takes(self._tuner.run_trial, "verbose"):
            kwargs.pop("verbose", None)
        if self._planned and takes(self._tuner.run_trial, "epochs"):
            kwargs["epochs"] = task.until
        return request.args, kwargs

    def _conclude(self, session: TrialSession, result: Any, emit: Emit) -> None:
        self._inner.report_new_values(session.task.trial, session.trial.hyperparameters, emit)
        if session.last is None:
            _refuse_fork(session.task)
            self._report(session, result, emit)
            return
        if isinstance(session.last, (Reached, Ended)) and not session.is_own(result):
            metrics = self._metrics(result)
            for run, history in session.by_run.items():
                epoch = history.epoch[-1] + 1 if history.epoch else session.task.until
                emit(Measured(session.task.trial, run, epoch, metrics))
        emit(session.last)

    def _metrics(self, result: Any) -> dict[str, float]:
        name = self._settings.objective.name
        cost, best = self._settings.objective.cost, []
        for one in as_runs(result, WHERE):
            epochs = as_epochs(one, name, WHERE, self._required)
            weighed = [self._weighed(metrics) for _, metrics in epochs]
            best.append(min(weighed, key=lambda metrics: cost(metrics.get(name, math.nan))))
        return mean(best)

    def _report(self, session: TrialSession, result: Any, emit: Emit) -> None:
        """Reports the epochs of a trial that the user's code trained."""
        task, name = session.task, self._settings.objective.name
        runs = self._runs(session, result)
        logged = {metric for epochs in runs for _, metrics in epochs for metric in metrics}
        for limit in self._settings.limits:
            if limit.name not in logged and limit.argument != SIZE_ARGUMENT:
                raise UnusableResult(
                    f"{WHERE} must return {limit.name!r} too, which is limited. It returned: "
                    f"{', '.join(sorted(logged))}."
                )
        finite, last = True, 0
        for run, epochs in enumerate(runs):
            costs = []
            for epoch, metrics in epochs:
                whole = self._weighed(metrics)
                report = Report(task.trial, run, epoch, whole, time.perf_counter() - session.began)
                costs.append(self._settings.objective.cost(whole.get(name, math.nan)))
                # They are already trained: pausing now would train them again.
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


def _refuse_fork(item: WorkItem) -> None:
    """Raises InvalidInput for a fork that the user's code trained without its parent's state."""
    if item.origin is not None:
        parent, at = item.origin
        raise InvalidInput(
            f"The trial starts from the state of trial {parent} after epoch {at}, which a "
            "run_trial with its own training does not have: call super().run_trial(trial, ...)."
        )


def run_trial_executor(
    tuner: Any, oracle: OracleView, trainer: RunnerFactory, request: Request, planned: bool
) -> SerialExecutor:
    """Returns the executor for trials that call methods of the tuner: in this process.

    Args:
        tuner: the tuner whose `run_trial` and hooks are called.
        oracle: its oracle.
        trainer: builds the runner that trains if `run_trial` calls its parent.
        request: the arguments of `search`.
        planned: whether the tuner plans the epochs.
    """
    read = not tuner._overrides("run_trial") and trainer.data.first is not NO_DATA
    arranger = TrialDataFactory(
        request, trainer.data if read else None, overrides_fit(tuner.hypermodel), planned
    )
    runner = RunTrialRunner(tuner, oracle, trainer(), arranger, trainer.settings, planned)
    return SerialExecutor(runner, blobs=trainer.blobs)
