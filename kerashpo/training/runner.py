"""`KerasRunner`: trains trials in this process and keeps their checkpoints."""

from __future__ import annotations

import contextlib
import functools
import logging
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, final

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Ended, Noted, Reached
from kerashpo.core.limits import LimitExceeded
from kerashpo.core.records import Decision, Failure, FoldRuns, Resume, Status
from kerashpo.executors.base import Emit, Runner
from kerashpo.executors.capture import OutputCapture
from kerashpo.executors.failures import LIMIT, REFUSED, classify, ends_search
from kerashpo.executors.messages import Failed, Saving, WorkItem
from kerashpo.space.space import Space
from kerashpo.store.base import Blobs
from kerashpo.store.trial_checkpoints import free_checkpoints
from kerashpo.training.data import FitData
from kerashpo.training.dataset_state import with_own_dataset
from kerashpo.training.energy import UsageClock
from kerashpo.training.folds import RunData, TrialData
from kerashpo.training.hypermodel import ModelBuilder
from kerashpo.training.hyperparameters import HyperParameters
from kerashpo.training.joint_training import JointTraining, Member
from kerashpo.training.loops.base import TrainingLoop, choose
from kerashpo.training.loops.redirected_fit import FitRedirect
from kerashpo.training.loops.user_fit import WHERE as OWN_FIT
from kerashpo.training.loops.user_fit import (
    FitCall,
    LeaveFit,
    RestartsTraining,
    UserFitLoop,
    overrides_fit,
)
from kerashpo.training.measure import measure_untrained
from kerashpo.training.python_values import trial_values
from kerashpo.training.randomness import EpochKeys
from kerashpo.training.reporter import EpochReporter
from kerashpo.training.restore import ForkFailed
from kerashpo.training.settings import Settings
from kerashpo.training.stored_models import save_best
from kerashpo.training.trial_history import continued_history
from kerashpo.training.trial_job import TrialJob
from kerashpo.training.trial_memory import TrialMemory
from kerashpo.training.trial_start import TrialStart
from kerashpo.training.trial_state import TrialState
from kerashpo.training.user_callbacks import ReportCallback, ends, may_log

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
        population: trains models of one shape together; None to train all one by one.
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
        population: JointTraining | None = None,
    ) -> None:
        self._trial_data, self._settings = TrialData(data, tuple(callbacks), call=call), settings
        self._blobs, self._loops, self._population = blobs, loops, population
        self._user_loop: UserFitLoop | None = None
        if overrides_fit(builder.hypermodel):
            redirect = FitRedirect(loops["compiled"], settings.fast)
            self._user_loop = UserFitLoop(builder.hypermodel, redirect)
        self._data_by_trial: dict[int, TrialData] = {}
        self._memory = TrialMemory(settings.keep_in_memory)
        self._start = TrialStart(builder, space, settings, blobs, self._data_of, self._memory)
        self._output, self._meter = OutputCapture(), settings.derived.meter()

    def set_trial_data(self, trial: int, trial_data: TrialData) -> None:
        """Sets other data and callbacks for one trial than the search's."""
        self._data_by_trial[trial] = trial_data

    def parameters(self, task: WorkItem) -> HyperParameters:
        """Returns a trial's hyperparameters for the user's own code; see `report_new_values`."""
        return self._start.parameters(task)

    def report_new_values(self, trial: int, hp: HyperParameters, emit: Emit) -> None:
        """Reports values of parameters that the user's code declared and the trial did not have."""
        self._start.report_new_values(trial, hp, emit)

    def train(self, task: WorkItem, emit: Emit) -> None:
        self.run([task], emit)

    def trace_signature(self, item: WorkItem) -> Hashable | None:
        # Which models are alike is known once they are built, so `run` divides the items again.
        alone = isinstance(item.job, FoldRuns) or item.trial in self._data_by_trial
        return None if alone or self._population is None else "population"

    def run(self, items: Sequence[WorkItem], emit: Emit) -> None:
        with self._output.capturing():
            emit = self._output.without_capture(emit)
            jobs = []
            for item in map(self._limited, items):
                first = self._data_of(item.trial).first_run
                runs = [first + run for run in item.runs(self._settings.runs)]
                jobs.append(TrialJob(item, emit, runs))
            try:
                while running := [job for job in jobs if self._begin_run(job)]:
                    for job in self._train_together(running):
                        self._train_alone(job)
                    for job in running:
                        self._end_run(job)
            finally:
                self._memory.evict()

    @contextlib.contextmanager
    def _guarded(self, job: TrialJob) -> Iterator[None]:
        """Context in which an exception fails the trial, unless it ends the search."""
        try:
            yield
        except LimitExceeded as error:
            self._fail(job, Failure(LIMIT, str(error)))
        except ForkFailed as error:
            self._fail(job, Failure(REFUSED, str(error)))
        except Exception as error:  # any exception of the user's code fails its trial
            if ends_search(error):
                raise
            plain = isinstance(error, InvalidInput)
            failure = Failure(job.stage, str(error)) if plain else classify(job.stage, error)
            self._fail(job, failure)

    def free(self, trial: int) -> None:
        for run in self._memory.runs_of(trial):
            self._close(trial, run)
        free_checkpoints(self._blobs, trial)
        self._data_by_trial.pop(trial, None)

    def close(self) -> None:
        for loop in self._loops.values():
            loop.close()
        if self._meter:
            self._meter.close()

    def drop(self, trial: int) -> None:
        for run in self._memory.runs_of(trial):
            self._memory.release(trial, run)

    def _begin_run(self, job: TrialJob) -> bool:
        """Builds or restores the next run; returns False if the trial has none, or failed."""
        if job.over:
            return False
        with self._guarded(job):
            if not job.runs:
                job.over = True
                self._conclude(job)
                return False
            began, clock = time.perf_counter(), UsageClock(meter=self._meter)
            job.run, job.stage = job.runs.pop(0), "build"
            state = self._memory.take(job.trial, job.run, self._start.builder.readable())
            state = job.state = state or self._start.restore(job.item, job.run, job.emit)
            blobs, place = self._blobs, (job.trial, job.run)
            measure_untrained(state, place, self._settings, blobs, job.emit)
            state.seconds += time.perf_counter() - began
            state.usage += clock.read()
            self._memory.put(*place, state, job.item)
            job.stage = "fit"
        return not job.over

    def _train_together(self, jobs: Sequence[TrialJob]) -> list[TrialJob]:
        """Trains those jobs that can be trained as one program; returns the others."""
        if self._population is None:
            return list(jobs)
        alone: list[TrialJob] = []
        groups: dict[Hashable, list[TrialJob]] = {}
        for job in jobs:
            with self._guarded(job):
                key = None if job.trained else self._population_key(job)
                (alone if key is None else groups.setdefault(key, [])).append(job)
        for group in groups.values():
            alone += self._train_group(self._population, group)
        return alone

    def _train_alone(self, job: TrialJob) -> None:
        with self._guarded(job):
            task, run, emit = job.item, job.run, job.emit
            try:
                self._train(job.live, task, run, emit)
            except RestartsTraining:
                job.state = self._start.restart(job.live, task, run, emit)
                self._memory.put(task.trial, run, job.state, task)
                self._train(job.live, task, run, emit)

    def _end_run(self, job: TrialJob) -> None:
        """Saves the run; the job is over if the loop has decided to end it."""
        if job.over:
            return
        with self._guarded(job):
            state, task = job.live, job.item
            answer = job.emit(Saving(task.trial))
            save_best(self._blobs, task.trial, job.run, state)
            if answer is Decision.STOP:
                state.finish()
            else:
                before = state.job_end
                if state.epoch >= task.until:
                    state.job_end = state.epoch
                self._start.store(task, job.run).put(state.epoch, state.save(), before)
            job.outcomes.append(state)
            job.over = answer is not Decision.CONTINUE

    def _train(self, state: TrialState, task: WorkItem, run: int, emit: Emit) -> None:
        if state.epoch >= task.until or state.stopped:
            return
        with trial_values(state.model):
            self._train_epochs(state, task, run, emit)

    def _train_epochs(self, state: TrialState, task: WorkItem, run: int, emit: Emit) -> None:
        trial, settings = task.trial, self._settings
        data = self._data_of(trial).data.of(run, task.config, trial)
        data = with_own_dataset(data, state.callbacks)
        kind, reason = self._choose_loop(state, data)
        if self._user_loop is None:
            self._note(state, trial, {"training": kind, "training_reason": reason}, emit)
        reporter = self._reporter(state, task, run, data, emit)
        state.model.stop_training = False
        keys, first = EpochKeys(settings.seed, state.stream, run), state.epoch + 1
        if self._user_loop is not None:
            call, span = self._data_of(trial).call, (first, task.until)
            name = settings.objective.name
            required = None if name in settings.derived.names else name

            def note(kind: str, reason: str) -> None:
                self._note(state, trial, {"training": kind, "training_reason": reason}, emit)

            hooks = (state.callbacks, keys, reporter.on_epoch, required, note)
            with contextlib.suppress(LeaveFit):
                result = self._user_loop.train(call, state.hp, state.model, span, *hooks)
                reporter.take(result, OWN_FIT)
            note(kind, reason)  # unless it called model.fit
        else:
            # Last, so that it gets the metrics that the user's callbacks add to the logs.
            history = continued_history(state.callbacks)
            callbacks = [*state.callbacks, *history, ReportCallback(reporter.on_epoch)]
            loop = self._loops[kind]
            loop.train(state.model, data, first, task.until, callbacks, keys)
        reporter.check()

    def _population_key(self, job: TrialJob) -> Hashable | None:
        """Returns a key of runs that are trained together, None if this one is trained alone."""
        assert self._population is not None
        data = self._data_of(job.trial).data.of(job.run, job.item.config, job.trial)
        if self._user_loop is not None or not self._settings.derived.of_metrics:
            return None
        if self._choose_loop(job.live, data)[0] != "compiled":
            return None
        return self._population.key(job.live, data)

    def _train_group(self, population: JointTraining, jobs: Sequence[TrialJob]) -> list[TrialJob]:
        """Trains runs as one program; returns those that are left if it cannot run."""
        first = jobs[0]
        data = self._data_of(first.trial).data.of(first.run, first.item.config, first.trial)
        members = [self._member(job, data) for job in jobs]
        kind = {"training": "population", "training_reason": population.reason}
        for job in jobs:
            self._note(job.live, job.trial, kind, job.emit)
        error = population.train(members, data, self._meter)
        for job, member in zip(jobs, members, strict=True):
            with self._guarded(job):
                if not job.over and error is None and member.reporter is not None:
                    member.reporter.check()
        left = [job for job in jobs if not job.over and not job.trained and error is not None]
        for job in left:
            job.emit(Noted(job.trial, {"training_reason": f"one by one: {error}"[:300]}))
        return left

    def _member(self, job: TrialJob, data: FitData) -> Member:
        state = job.live
        keys = EpochKeys(self._settings.seed, state.stream, job.run)
        guard, failed = lambda: self._guarded(job), lambda: job.over
        member = Member(state, keys, job.item.until, guard, failed)
        member.reporter = self._reporter(state, job.item, job.run, data, job.emit, member)
        return member

    def _reporter(
        self,
        state: TrialState,
        task: WorkItem,
        run: int,
        data: FitData,
        emit: Emit,
        member: Member | None = None,
    ) -> EpochReporter:
        def save() -> None:
            if member is not None:
                member.refresh()
            save_best(self._blobs, task.trial, run, state)
            self._start.store(task, run).put(state.epoch, state.save(), state.job_end)

        return EpochReporter(
            state,
            (task.trial, run),
            self._settings,
            emit,
            functools.partial(self._start.report_new_values, task.trial, emit=emit),
            save,
            self._user_loop is None and not any(may_log(c.wrapped) for c in state.callbacks),
            None if data.validation is None else data.validation_freq,
            task.until if self._data_of(task.trial).call.planned else None,
            self._meter,
            None if member is None else member.clock,
            None if member is None else member.mark,
        )

    def _note(self, state: TrialState, trial: int, facts: dict[str, Any], emit: Emit) -> None:
        """Reports facts about the training, once in a trial's life in this process."""
        if state.facts:
            return
        state.facts = facts
        if (source := self._settings.derived.source(state.usage)) is not None:
            state.facts["energy_source"] = source
        emit(Noted(trial, state.facts))

    def _choose_loop(self, state: TrialState, data: FitData) -> tuple[str, str]:
        if self._user_loop is not None:
            return "plain", "the hypermodel overrides fit"
        return choose(self._settings.fast, state.model, data, state.callbacks)

    def _data_of(self, trial: int) -> TrialData:
        return self._data_by_trial.get(trial, self._trial_data)

    def _limited(self, task: WorkItem) -> WorkItem:
        limit = self._data_of(task.trial).limit(task.config)
        if limit is None:
            return task
        # May exceed the work item's epochs only if the job itself set their number.
        longer = self._data_of(task.trial).until and task.until == task.job.until
        return replace(task, until=limit if longer else min(limit, task.until))

    def _conclude(self, job: TrialJob) -> None:
        """Reports the outcome of a work item that was not interrupted."""
        task, runs, emit = job.item, job.outcomes, job.emit
        whole = all(state.epoch >= task.until and not state.stopped for state in runs)
        limit = self._data_of(task.trial).limit(task.config)
        if not all(state.best.finite for state in runs):
            name = self._settings.objective.name
            self._fail(job, Failure("nan", f"{name} was never finite"))
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
            early = "early stopping" if self._user_loop is None else "ended by itself"
            emit(Ended(task.trial, Status.COMPLETED, "epochs" if whole else early))

    def _close(self, trial: int, run: int) -> None:
        """Ends the callbacks of a trial that is finished; an error there no longer fails the trial.

        A trial that is not in memory is restored if its callbacks do something in ``on_train_end``.
        """
        state, item = self._memory.release(trial, run)
        try:
            if state is None and item is not None and self._ends(trial):
                item = replace(item, job=Resume(trial, item.until))
                state = self._start.restore(item, run, lambda message: Decision.CONTINUE)
            if state is not None:
                self._start.end(state)
        except Exception:
            _LOG.exception("A callback failed at the end of trial %d.", trial)

    def _ends(self, trial: int) -> bool:
        return any(ends(callback) for callback in self._data_of(trial).callbacks)

    def _fail(self, job: TrialJob, failure: Failure) -> None:
        job.over = True
        self.drop(job.trial)
        job.emit(Failed(job.trial, replace(failure, output=self._output.text)))
