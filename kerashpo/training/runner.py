"""`KerasRunner`: trains trials in this process and keeps their checkpoints."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import keras

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Configured, Ended, Noted, Reached, SpaceGrown
from kerashpo.core.records import Decision, Failure, FoldRuns, Resume, Status
from kerashpo.executors.base import Emit, Runner
from kerashpo.executors.capture import OutputCapture
from kerashpo.executors.failures import REFUSED, classify, ends_search
from kerashpo.executors.messages import Failed, Saving, WorkItem
from kerashpo.space.params import Param
from kerashpo.space.space import Space
from kerashpo.store.base import Blobs
from kerashpo.store.blobs import best_key
from kerashpo.store.checkpoints import pack_list
from kerashpo.store.trial_checkpoints import RunCheckpoints, free_checkpoints
from kerashpo.training.batch_spec import batch_spec
from kerashpo.training.build import build_all
from kerashpo.training.captured_state import fingerprint
from kerashpo.training.data import FitData
from kerashpo.training.folds import RunData
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


class TooLarge(InvalidInput):
    """A model with more parameters than `max_model_size`."""


@final
@dataclass(frozen=True, slots=True)
class TrialData:
    """The data and callbacks with which one trial is trained.

    Attributes:
        data: training data by run and configuration.
        callbacks: the user's; each run gets copies.
        until: the last epoch, if the user's own code set another one than the work item's.
        call: the arguments of a hypermodel's own `fit`.
        first_run: the number of the first run trained with this data, see `TrialSession`.
    """

    data: RunData
    callbacks: tuple[Any, ...] = ()
    until: int | None = None
    call: FitCall = FitCall()
    first_run: int = 0


@final
class KerasRunner(Runner):
    """Runner that builds, trains, pauses and resumes Keras models in this process.

    Args:
        maker: builds models.
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
        maker: ModelBuilder,
        space: Space,
        data: RunData,
        callbacks: Sequence[Any],
        settings: Settings,
        blobs: Blobs,
        loops: Mapping[str, TrainingLoop],
        call: FitCall = FitCall(),
    ) -> None:
        self._maker, self._space = maker, space
        self._terms, self._settings = TrialData(data, tuple(callbacks), call=call), settings
        self._blobs, self._loops = blobs, loops
        self._own = UserFitLoop(maker.hypermodel) if overrides_fit(maker.hypermodel) else None
        self._special: dict[int, TrialData] = {}
        self._memory = TrialMemory(settings.keep_in_memory)
        self._tail = OutputCapture()

    def arrange(self, trial: int, terms: TrialData) -> None:
        """Sets other data and callbacks for one trial than the search's."""
        self._special[trial] = terms

    def parameters(self, task: WorkItem) -> HyperParameters:
        """Returns a trial's hyperparameters for the user's own code; see `report_new_values`."""
        settings = self._settings
        return self._maker.parameters(task.config, self._space, settings.seed, task.trial)

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
        with self._tail.listening():
            emit, stage, task = self._tail.sparing(emit), ["build"], self._limited(task)
            try:
                outcomes = []
                first = self._terms_of(task.trial).first_run
                for run in (first + run for run in task.runs(self._settings.runs)):
                    outcome = self._run_once(task, run, emit, stage)
                    if outcome is None:
                        return
                    outcomes.append(outcome)
                self._conclude(task, outcomes, emit)
            except (TooLarge, ForkFailed) as error:
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
        self._special.pop(trial, None)

    def drop(self, trial: int) -> None:
        for run in self._memory.runs_of(trial):
            self._memory.release(trial, run)

    def _run_once(
        self, task: WorkItem, run: int, emit: Emit, stage: list[str]
    ) -> TrialState | None:
        """Trains one run up to the end of its work item; returns None if the answer ended it."""
        began = time.perf_counter()
        stage[0] = "build"
        live = self._memory.take(task.trial, run, self._readable())
        live = live or self._revive(task, run, emit)
        live.seconds += time.perf_counter() - began
        self._memory.put(task.trial, run, live, task)
        stage[0] = "fit"
        try:
            self._train(live, task, run, emit)
        except RestartsTraining:
            live = self._anew(live, task, run, emit)
            self._train(live, task, run, emit)
        answer = emit(Saving(task.trial))
        self._save_best(task.trial, run, live)
        if answer is Decision.STOP:
            live.finish()
        else:
            before = live.job_end
            if live.epoch >= task.until:
                live.job_end = live.epoch
            self._store(task, run).put(live.epoch, live.save(), before)
        return live if answer is Decision.CONTINUE else None

    def _readable(self) -> Any:
        """Returns a fingerprint of the values that the code of `build_model` can read."""
        return fingerprint(getattr(self._maker.hypermodel, "build", None))

    def _revive(self, task: WorkItem, run: int, emit: Emit) -> TrialState:
        """Builds the trial's model and restores the trial's state."""
        for start in starts_of(task, self._store(task, run)):
            try:
                live = self._build(task, run, emit, start.stream())
                start.load(live)
                return live
            except UnusableCheckpoint as error:
                text = f"{error}; trained again from an earlier one or from the start"
                emit(Noted(task.trial, {"checkpoint": text}))
        raise AssertionError("the last start state loads, or raises")

    def _anew(self, live: TrialState, task: WorkItem, run: int, emit: Emit) -> TrialState:
        """Builds the model again for a trial that the user's own `fit` trains from the start.

        Raises:
            InvalidInput: for a fork, which starts from its parent's state.
        """
        if task.origin is not None:
            raise InvalidInput(
                f"The trial starts from the state of trial {task.origin[0]} after epoch "
                f"{task.origin[1]}, and {OWN_FIT} trains from the first epoch: pass **kwargs "
                "(epochs and initial_epoch are among them) on to model.fit."
            )
        fresh = self._build(task, run, emit, live.stream)
        fresh.seconds, fresh.facts, fresh.job_end = live.seconds, live.facts, live.job_end
        self._memory.put(task.trial, run, fresh, task)
        return fresh

    def _store(self, task: WorkItem, run: int) -> RunCheckpoints:
        # A parent has no state of the folds of its child's final round: they start from epoch 1.
        fold = isinstance(task.job, FoldRuns) and run >= self._settings.runs
        return RunCheckpoints(self._blobs, task.trial, run, None if fold else task.origin)

    def _build(self, task: WorkItem, run: int, emit: Emit, stream: int) -> TrialState:
        trial, seed, terms = task.trial, self._settings.seed, self._terms_of(task.trial)
        model, hp = self._maker.make(task.config, self._space, seed, stream, run)
        self.report_new_values(trial, hp, emit)
        data = terms.data.of(run, task.config, trial)
        with seeded_build(seed, stream, run, "variables"), self._maker.scope():
            build_all(model, data)
        self._check_size(model)
        callbacks = fresh_callbacks(terms.callbacks, self._limit(task) or self._settings.max_epochs)
        for callback in callbacks:
            give_place(callback.wrapped, trial, run)
        values = hp.values if hp is not None else task.config
        written = hparams_callbacks([one.wrapped for one in callbacks], values, trial)
        callbacks += [OncePerTrial(one) for one in written]
        return TrialState(
            model,
            callbacks,
            hp=hp,
            stream=stream,
            spec=batch_spec(data),
            built_with=self._readable(),
            validated=self._settings.objective.name.startswith("val_"),
        )

    def _train(self, live: TrialState, task: WorkItem, run: int, emit: Emit) -> None:
        if live.epoch >= task.until or live.stopped:
            return
        trial, settings = task.trial, self._settings
        data = self._terms_of(trial).data.of(run, task.config, trial)
        kind, reason = self._choose_loop(live, data)
        if not live.facts:
            live.facts = {"training": kind, "training_reason": reason}
            emit(Noted(trial, live.facts))
        segment = EpochReporter(
            live,
            (trial, run),
            settings,
            emit,
            lambda hp: self.report_new_values(trial, hp, emit),
            lambda: self._checkpoint(task, run, live),
            self._own is None and not any(may_log(c.wrapped) for c in live.callbacks),
            None if data.validation is None else data.validation_freq,
            task.until if self._terms_of(trial).call.planned else None,
        )
        live.model.stop_training = False
        keys, first = EpochKeys(settings.seed, live.stream, run), live.epoch + 1
        if self._own is not None:
            call, span = self._terms_of(trial).call, (first, task.until)
            name = settings.objective.name
            required = None if name in settings.derived.names else name
            hooks = (live.callbacks, keys, segment.on_epoch, required)
            with contextlib.suppress(LeaveFit):
                result = self._own.train(call, live.hp, live.model, span, *hooks)
                segment.take(result, OWN_FIT)
        else:
            # Last, so that it sees the logs that the user's callbacks have added.
            callbacks = [*live.callbacks, ReportCallback(segment.on_epoch)]
            loop = self._loops[kind]
            loop.train(live.model, data, first, task.until, callbacks, keys)
        segment.check()

    def _choose_loop(self, live: TrialState, data: FitData) -> tuple[str, str]:
        if self._own is not None:
            return "plain", "the hypermodel overrides fit"
        return choose(self._settings.fast, live.model, data, live.callbacks)

    def _terms_of(self, trial: int) -> TrialData:
        return self._special.get(trial, self._terms)

    def _limit(self, task: WorkItem) -> int | None:
        """Returns the last epoch that the user's code or the configuration sets, if any."""
        terms = self._terms_of(task.trial)
        return terms.until or terms.data.epochs(task.config)

    def _limited(self, task: WorkItem) -> WorkItem:
        limit = self._limit(task)
        if limit is None:
            return task
        # More epochs than the work item's only if nothing but the work item limited them.
        longer = self._terms_of(task.trial).until and task.until == task.job.until
        return replace(task, until=limit if longer else min(limit, task.until))

    def _conclude(self, task: WorkItem, runs: list[TrialState], emit: Emit) -> None:
        """Reports how a work item ended that was not interrupted."""
        whole = all(live.epoch >= task.until and not live.stopped for live in runs)
        limit = self._limit(task)
        if not all(live.best.finite for live in runs):
            name = self._settings.objective.name
            self._fail(task, emit, Failure("nan", f"{name} was never finite"))
        elif whole and limit in (None, task.job.until):
            if task.until >= self._settings.max_epochs:
                for live in runs:
                    live.finish()
            emit(Reached(task.trial))
        elif whole and limit is not None and task.until < limit:
            emit(Reached(task.trial))
        else:
            for live in runs:
                live.finish()
            emit(Ended(task.trial, Status.COMPLETED, self._reason(whole)))

    def _reason(self, whole: bool) -> str:
        if whole:
            return "epochs"
        return "early stopping" if self._own is None else "ended by itself"

    def _close(self, trial: int, run: int) -> None:
        """Ends the callbacks of a trial that is finished; an error there no longer fails the trial.

        A trial that is not in memory is restored if its callbacks do something in ``on_train_end``.
        """
        live, item = self._memory.release(trial, run)
        try:
            if live is None and item is not None and self._ends(trial):
                item = replace(item, job=Resume(trial, item.until))
                live = self._revive(item, run, lambda message: Decision.CONTINUE)
            if live is not None:
                live.finish()
        except Exception:
            _LOG.exception("A callback failed at the end of trial %d.", trial)

    def _ends(self, trial: int) -> bool:
        return any(ends(callback) for callback in self._terms_of(trial).callbacks)

    def _fail(self, task: WorkItem, emit: Emit, failure: Failure) -> None:
        self.drop(task.trial)
        emit(Failed(task.trial, replace(failure, output=self._tail.text)))

    def _checkpoint(self, task: WorkItem, run: int, live: TrialState) -> None:
        self._save_best(task.trial, run, live)
        self._store(task, run).put(live.epoch, live.save(), live.job_end)

    def _save_best(self, trial: int, run: int, live: TrialState) -> None:
        if live.best_weights is not None and live.best_is_new:
            if live.architecture is None:
                live.architecture = architecture_of(live.model) or ""
            data = pack_list(
                live.best_weights,
                epoch=live.best.epoch,
                inputs=live.inputs(),
                architecture=live.architecture or None,
            )
            self._blobs.put(best_key(trial, run), data)
            live.best_is_new = False

    def _grow(self, params: list[Param]) -> tuple[dict[str, Any], ...]:
        new = [p for p in params if p.name not in self._space.names]
        if new:
            self._space = Space.of([*self._space.params, *new])
        return tuple(param.to_json() for param in new)

    def _check_size(self, model: keras.Model) -> None:
        limit = self._settings.max_model_size
        if limit is not None and model.built and model.count_params() > limit:
            raise TooLarge(
                f"The model has {model.count_params():,} parameters, more than max_model_size "
                f"({limit:,})."
            )
