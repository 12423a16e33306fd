"""`KerasRunner`: trains trials in this process and keeps their checkpoints."""

from __future__ import annotations

import contextlib
import functools
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, final

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Configured, Ended, Measured, Noted, Reached, SpaceGrown
from kerashpo.core.limits import LimitExceeded
from kerashpo.core.records import Decision, Failure, FoldRuns, Resume, Status
from kerashpo.executors.base import Emit, Runner
from kerashpo.executors.capture import OutputCapture
from kerashpo.executors.failures import LIMIT, REFUSED, classify, ends_search
from kerashpo.executors.messages import Failed, Saving, WorkItem
from kerashpo.space.params import Param
from kerashpo.space.space import Space
from kerashpo.store.base import Blobs
from kerashpo.store.blobs import best_key
from kerashpo.store.checkpoints import pack_list
from kerashpo.store.measuring import measuring
from kerashpo.store.trial_checkpoints import RunCheckpoints, free_checkpoints
from kerashpo.training.batch_spec import batch_spec
from kerashpo.training.build import build_all
from kerashpo.training.data import FitData
from kerashpo.training.dataset_state import dataset_states, with_own_dataset
from kerashpo.training.energy import UsageClock
from kerashpo.training.folds import RunData, TrialData
from kerashpo.training.hparams import hparams_callbacks
from kerashpo.training.hypermodel import ModelBuilder
from kerashpo.training.hyperparameters import HyperParameters
from kerashpo.training.loops.base import TrainingLoop, choose
from kerashpo.training.loops.user_fit import WHERE as OWN_FIT
from kerashpo.training.loops.user_fit import (
    FitCall,
    LeaveFit,
    RestartsTraining,
    UserFitLoop,
    overrides_fit,
)
from kerashpo.training.randomness import EpochKeys, seeded_build
from kerashpo.training.reporter import EpochReporter
from kerashpo.training.restore import ForkFailed, UnusableCheckpoint, starts_of
from kerashpo.training.settings import Settings
from kerashpo.training.stored_models import architecture_of
from kerashpo.training.trial_memory import TrialMemory
from kerashpo.training.trial_state import TrialState
from kerashpo.training.user_callbacks import (
    OncePerTrial,
    ReportCallback,
    ends,
    fresh_callbacks,
    give_place,
    may_log,
)

_LOG = logging.getLogger("kerashpo")


@final
class KerasRunner(Runner):
    """Runner that builds, trains, pauses and resumes Keras models in this process.

    Args:
        builder: builds models.
        space: the search space known so far; it grows by the parameters that models declare.
        data: the training data.
        callbacks: the user's; each trial gets copies.
        settings: training settings of the search.
        blobs: checkpoint storage.
        loops: training loops, by the kind that `choose` returns.
        call: the arguments of a hypermodel's own `fit`.
    """

    def __init__(
        self,
        builder: ModelBuilder,
        space: Space,
        data: RunData,
        callbacks: Sequence[Any],
        settings: Settings,
        blobs: Blobs,
        loops: Mapping[str, TrainingLoop],
        call: FitCall = FitCall(),
    ) -> None:
        self._builder, self._space = builder, space
        self._trial_data, self._settings = TrialData(data, tuple(callbacks), call=call), settings
        self._blobs, self._loops = blobs, loops
        self._user_loop = (
            UserFitLoop(builder.hypermodel) if overrides_fit(builder.hypermodel) else None
        )
        self._data_by_trial: dict[int, TrialData] = {}
        self._memory = TrialMemory(settings.keep_in_memory)
        self._output, self._meter = OutputCapture(), settings.derived.meter()

    def set_trial_data(self, trial: int, trial_data: TrialData) -> None:
        """Sets other data and callbacks for one trial than the search's."""
        self._data_by_trial[trial] = trial_data

    def parameters(self, task: WorkItem) -> HyperParameters:
        """Returns a trial's hyperparameters for the user's own code; see `report_new_values`."""
        settings = self._settings
        return self._builder.parameters(task.config, self._space, settings.seed, task.trial)

    def report_new_values(self, trial: int, hp: HyperParameters, emit: Emit) -> None:
        """Reports values of parameters that the user's code declared and the trial did not have."""
        if hp is None or not hp.changed:
            return
        if new := self._grow(list(hp.appeared.values())):
            emit(SpaceGrown(trial, new))
        emit(Configured(trial, dict(hp.changed)))
        hp.changed.clear()
        hp.appeared.clear()

    def train(self, task: WorkItem, emit: Emit) -> None:
        with self._output.capturing():
            emit, stage, task = self._output.without_capture(emit), ["build"], self._limited(task)
            try:
                outcomes = []
                first = self._data_of(task.trial).first_run
                for run in (first + run for run in task.runs(self._settings.runs)):
                    outcome = self._run_once(task, run, emit, stage)
                    if outcome is None:
                        return
                    outcomes.append(outcome)
                self._conclude(task, outcomes, emit)
            except LimitExceeded as error:
                self._fail(task, emit, Failure(LIMIT, str(error)))
            except ForkFailed as error:
                self._fail(task, emit, Failure(REFUSED, str(error)))
            except Exception as error:  # any exception of the user's code fails its trial
                if ends_search(error):
                    raise
                plain = isinstance(error, InvalidInput)
                failure = Failure(stage[0], str(error)) if plain else classify(stage[0], error)
                self._fail(task, emit, failure)
            finally:
                self._memory.evict()

    def free(self, trial: int) -> None:
        for run in self._memory.runs_of(trial):
            self._close(trial, run)
        free_checkpoints(self._blobs, trial)
        self._data_by_trial.pop(trial, None)

    def close(self) -> None:
        if self._meter:
            self._meter.close()

    def drop(self, trial: int) -> None:
        for run in self._memory.runs_of(trial):
            self._memory.release(trial, run)

    def _run_once(
        self, task: WorkItem, run: int, emit: Emit, stage: list[str]
    ) -> TrialState | None:
        """Trains one run up to the end of its work item; returns None if the answer ended it."""
        began, clock = time.perf_counter(), UsageClock(meter=self._meter)
        stage[0] = "build"
        state = self._memory.take(task.trial, run, self._builder.readable())
        state = state or self._restore(task, run, emit)
        self._measure(state, task.trial, run, emit)
        state.seconds += time.perf_counter() - began
        state.usage += clock.read()
        self._memory.put(task.trial, run, state, task)
        stage[0] = "fit"
        try:
            self._train(state, task, run, emit)
        except RestartsTraining:
            state = self._restart(state, task, run, emit)
            self._train(state, task, run, emit)
        answer = emit(Saving(task.trial))
        self._save_best(task.trial, run, state)
        if answer is Decision.STOP:
            state.finish()
        else:
            before = state.job_end
            if state.epoch >= task.until:
                state.job_end = state.epoch
            self._store(task, run).put(state.epoch, state.save(), before)
        return state if answer is Decision.CONTINUE else None

    def _restore(self, task: WorkItem, run: int, emit: Emit) -> TrialState:
        """Builds the trial's model and restores the trial's state."""
        for start in starts_of(task, self._store(task, run)):
            try:
                state = self._build(task, run, emit, start.stream())
                start.load(state)
                return state
            except UnusableCheckpoint as error:
                text = f"{error}; trained again from an earlier one or from the start"
                emit(Noted(task.trial, {"checkpoint": text}))
        raise AssertionError("the last start state loads, or raises")

    def _restart(self, state: TrialState, task: WorkItem, run: int, emit: Emit) -> TrialState:
        """Builds the model again for a trial that the user's `fit` trains from the start.

        Raises:
            InvalidInput: for a fork, which starts from its parent's state.
        """
        if task.origin is not None:
            raise InvalidInput(
                f"The trial starts from the state of trial {task.origin[0]} after epoch "
                f"{task.origin[1]}, but {OWN_FIT} trains from the first epoch. Pass **kwargs "
                "(which contain epochs and initial_epoch) on to model.fit."
            )
        fresh = self._build(task, run, emit, state.stream)
        fresh.seconds, fresh.facts, fresh.job_end = state.seconds, state.facts, state.job_end
        fresh.untrained, fresh.usage = state.untrained, state.usage
        self._memory.put(task.trial, run, fresh, task)
        return fresh

    def _store(self, task: WorkItem, run: int) -> RunCheckpoints:
        # The folds of a final round start from epoch 1, not from the state of a fork's parent.
        fold = isinstance(task.job, FoldRuns) and run >= self._settings.runs
        return RunCheckpoints(self._blobs, task.trial, run, None if fold else task.origin)

    def _build(self, task: WorkItem, run: int, emit: Emit, stream: int) -> TrialState:
        trial, seed, trial_data = task.trial, self._settings.seed, self._data_of(task.trial)
        model, hp = self._builder.make(task.config, self._space, seed, stream, run)
        self.report_new_values(trial, hp, emit)
        data = trial_data.data.of(run, task.config, trial)
        with seeded_build(seed, stream, run, "variables"), self._builder.scope():
            build_all(model, data)
        callbacks = fresh_callbacks(
            trial_data.callbacks, self._limit(task) or self._settings.max_epochs
        )
        for callback in callbacks:
            give_place(callback.wrapped, trial, run)
        values = hp.values if hp is not None else task.config
        written = hparams_callbacks([one.wrapped for one in callbacks], values, trial)
        callbacks += [*(OncePerTrial(one) for one in written), *dataset_states(data)]
        return TrialState(
            model,
            callbacks,
            hp=hp,
            stream=stream,
            spec=batch_spec(data),
            built_with=self._builder.readable(),
            validated=self._settings.objective.name.startswith("val_"),
        )

    def _train(self, state: TrialState, task: WorkItem, run: int, emit: Emit) -> None:
        if state.epoch >= task.until or state.stopped:
            return
        trial, settings = task.trial, self._settings
        data = self._data_of(trial).data.of(run, task.config, trial)
        data = with_own_dataset(data, state.callbacks)
        kind, reason = self._choose_loop(state, data)
        if not state.facts:
            state.facts = {"training": kind, "training_reason": reason}
            if (source := settings.derived.source(state.usage)) is not None:
                state.facts["energy_source"] = source
            emit(Noted(trial, state.facts))
        reporter = EpochReporter(
            state,
            (trial, run),
            settings,
            emit,
            functools.partial(self.report_new_values, trial, emit=emit),
            lambda: self._checkpoint(task, run, state),
            self._user_loop is None and not any(may_log(c.wrapped) for c in state.callbacks),
            None if data.validation is None else data.validation_freq,
            task.until if self._data_of(trial).call.planned else None,
            self._meter,
        )
        state.model.stop_training = False
        keys, first = EpochKeys(settings.seed, state.stream, run), state.epoch + 1
        if self._user_loop is not None:
            call, span = self._data_of(trial).call, (first, task.until)
            name = settings.objective.name
            required = None if name in settings.derived.names else name
            hooks = (state.callbacks, keys, reporter.on_epoch, required)
            with contextlib.suppress(LeaveFit):
                result = self._user_loop.train(call, state.hp, state.model, span, *hooks)
                reporter.take(result, OWN_FIT)
        else:
            # Last, so that it gets the metrics that the user's callbacks add to the logs.
            callbacks = [*state.callbacks, ReportCallback(reporter.on_epoch)]
            loop = self._loops[kind]
            loop.train(state.model, data, first, task.until, callbacks, keys)
        reporter.check()

    def _choose_loop(self, state: TrialState, data: FitData) -> tuple[str, str]:
        if self._user_loop is not None:
            return "plain", "the hypermodel overrides fit"
        return choose(self._settings.fast, state.model, data, state.callbacks)

    def _data_of(self, trial: int) -> TrialData:
        return self._data_by_trial.get(trial, self._trial_data)

    def _limit(self, task: WorkItem) -> int | None:
        """Returns the last epoch that the user's code or the configuration sets, if any."""
        trial_data = self._data_of(task.trial)
        return trial_data.until or trial_data.data.epochs(task.config)

    def _limited(self, task: WorkItem) -> WorkItem:
        limit = self._limit(task)
        if limit is None:
            return task
        # May exceed the work item's epochs only if the job itself set their number.
        longer = self._data_of(task.trial).until and task.until == task.job.until
        return replace(task, until=limit if longer else min(limit, task.until))

    def _conclude(self, task: WorkItem, runs: list[TrialState], emit: Emit) -> None:
        """Reports the outcome of a work item that was not interrupted."""
        whole = all(state.epoch >= task.until and not state.stopped for state in runs)
        limit = self._limit(task)
        if not all(state.best.finite for state in runs):
            name = self._settings.objective.name
            self._fail(task, emit, Failure("nan", f"{name} was never finite"))
        elif whole and limit in (None, task.job.until):
            if task.until >= self._settings.max_epochs:
                for state in runs:
                    state.finish()
            emit(Reached(task.trial))
        elif whole and limit is not None and task.until < limit:
            emit(Reached(task.trial))
        else:
            for state in runs:
                state.finish()
            emit(Ended(task.trial, Status.COMPLETED, self._reason(whole)))

    def _reason(self, whole: bool) -> str:
        early = "early stopping" if self._user_loop is None else "ended by itself"
        return "epochs" if whole else early

    def _close(self, trial: int, run: int) -> None:
        """Ends the callbacks of a trial that is finished; an error there no longer fails the trial.

        A trial that is not in memory is restored if its callbacks do something in ``on_train_end``.
        """
        state, item = self._memory.release(trial, run)
        try:
            if state is None and item is not None and self._ends(trial):
                item = replace(item, job=Resume(trial, item.until))
                state = self._restore(item, run, lambda message: Decision.CONTINUE)
            if state is not None:
                state.finish()
                self._builder.touch()
        except Exception:
            _LOG.exception("A callback failed at the end of trial %d.", trial)

    def _ends(self, trial: int) -> bool:
        return any(ends(callback) for callback in self._data_of(trial).callbacks)

    def _fail(self, task: WorkItem, emit: Emit, failure: Failure) -> None:
        self.drop(task.trial)
        emit(Failed(task.trial, replace(failure, output=self._output.text)))

    def _checkpoint(self, task: WorkItem, run: int, state: TrialState) -> None:
        self._save_best(task.trial, run, state)
        self._store(task, run).put(state.epoch, state.save(), state.job_end)

    def _save_best(self, trial: int, run: int, state: TrialState) -> None:
        if state.best_weights is not None and state.best_is_new:
            if state.architecture is None:
                state.architecture = architecture_of(state.model) or ""
            data = pack_list(
                state.best_weights,
                epoch=state.best.epoch,
                inputs=state.inputs(),
                architecture=state.architecture or None,
            )
            self._blobs.put(best_key(trial, run), data)
            state.best_is_new = False

    def _grow(self, params: list[Param]) -> tuple[dict[str, Any], ...]:
        new = [p for p in params if p.name not in self._space.names]
        if new:
            self._space = Space.of([*self._space.params, *new])
        return tuple(param.to_json() for param in new)

    def _measure(self, state: TrialState, trial: int, run: int, emit: Emit) -> None:
        """Measures the untrained model, once in a trial's life, and reports what was found.

        Raises:
            LimitExceeded: if it exceeds a limit.
        """
        if state.untrained:
            return
        state.untrained = self._settings.derived.untrained(state.model, measuring(self._blobs))
        if not state.untrained:
            return
        emit(Measured(trial, run, 0, state.untrained))
        for limit in self._settings.limits:
            value = state.untrained.get(limit.name)
            scored = run < self._settings.runs  # the folds of a final round are not
            if scored and value is not None and not limit.excess(value) <= 0.0:
                raise LimitExceeded(
                    f"{limit.name} is {value:,.7g}, but {limit.allowed} is allowed "
                    f"({limit.argument})."
                )
