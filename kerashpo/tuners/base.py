"""`Tuner`: what all tuners share. Composes space, algorithm, scheduler, store and training."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kerashpo.algorithms.registry import algorithm_class, make_algorithm
from kerashpo.core.errors import InvalidInput, StudyCorrupt, StudyNotFound
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.core.objective import Scoring, read_weights, to_objectives
from kerashpo.core.records import Config, Objective, Plan
from kerashpo.display.plan import ShownPlan
from kerashpo.display.select import make_display
from kerashpo.executors.base import Executor
from kerashpo.schedulers.base import Scheduler
from kerashpo.store.blobs import LOG_NAME
from kerashpo.study.compatibility import StudySpec
from kerashpo.study.doctor import repair_study
from kerashpo.study.open import check, open_or_create, remove
from kerashpo.study.retention import Retention, read_keep
from kerashpo.study.run import SearchParts, provenance, run_study
from kerashpo.study.study import open_study
from kerashpo.training.data import FitData
from kerashpo.training.factory import KerasSettings, RunnerFactory, leave_gpu_memory
from kerashpo.training.folds import RunData, fold, read_fit_hp
from kerashpo.training.hypermodel import Form, ModelBuilder, Recompile
from kerashpo.training.hyperparameters import to_space
from kerashpo.training.loops.user_fit import FitCall, overrides_fit
from kerashpo.training.preflight import check_objectives
from kerashpo.training.settings import Derived, Settings
from kerashpo.training.user_callbacks import fresh_callbacks
from kerashpo.tuners.fit_request import Request, read_request
from kerashpo.tuners.hooks import TRAINING_HOOKS, TRIAL_HOOKS, Hooks, TrialHooks
from kerashpo.tuners.inspect import Answers
from kerashpo.tuners.options import UNTITLED, TunerOptions, check_own_code, read_bytes
from kerashpo.tuners.oracle_view import OracleView
from kerashpo.tuners.run_trial import run_trial_executor
from kerashpo.tuners.workers import make_executor

_PACKAGES = ("kerashpo", "keras", "tensorflow", "jax", "keras-tuner", "numpy", "scipy")


DEFAULT_OBJECTIVE = "default_objective"
"""What one number is called that code of the user's own returns; KerasTuner's name."""


class Tuner(Hooks, Answers, ABC):
    """A search over the models that a function builds.

    Subclasses name an algorithm and build a scheduler; everything else is here.

    Args:
        hypermodel: a function ``build_model(hp)`` that returns a compiled model, or a
            `HyperModel`, whose `fit` is called where it has one of its own.
        objective: a metric's name, an `Objective`, or a list of them (the first ranks, unless
            there are `weights`). May be left out where `run_trial` or `HyperModel.fit`
            returns one number to minimise.
        seed: an integer for a search that can be repeated; None draws one and stores it.
        hyperparameters: a `HyperParameters` whose definitions win over `build_model`'s.
        tune_new_entries: whether parameters that are not among them are tuned.
        allow_new_entries: whether there may be such parameters at all.
        max_trials: configurations to start at most.
        max_retries_per_trial: how often a failed trial is tried again.
        max_consecutive_failed_trials: failed trials in a row that end the search.
        executions_per_trial: how often each configuration is trained; the score is the
            mean of the runs' scores.
        optimizer, loss, metrics: replace what `build_model` compiled with.
        max_model_size: parameters; larger models fail.
        distribution_strategy: a `tf.distribute` strategy to build models under.
        directory, project_name: the study lives in ``directory/project_name``; the same
            search goes on there, another one is refused.
        overwrite: delete the study there and start anew.
        resume: ``"exact"`` refuses a study of another space, objective, seed, data or settings;
            ``"extend"`` takes one that this search widens (ranges, choices, further parameters,
            more epochs or iterations): its trials stay, as evidence.
        workers: processes that train. 1 is this process; ``"auto"`` begins here and starts
            worker processes once what is left pays for their start. May name any executor.
        executor: who trains: a name of `kerashpo.executors.registry`, or a factory such as
            ``kt.executors.Processes(workers=4)``; None for what `workers` implies.
        trial_timeout: seconds in which a trial must be built and tell its first epoch, and
            after each epoch the next one; a worker that does not is ended and the trial
            goes on in another; the third one at the same epoch fails it. Trains in worker
            processes, one with ``workers=1``.
        max_worker_memory: e.g. ``"4GB"``: a worker process that takes more is replaced
            between two trials. Trains in worker processes, one with ``workers=1``.
        deterministic: train with one thread a worker, so that any number of workers gives
            the same numbers. Trains in worker processes, one with ``workers=1``.
        fast: ``"auto"`` compiles whole epochs where that is exact, False never does, True
            raises where it cannot.
        keep_in_memory: how much of paused trials stays in memory, e.g. ``"1GB"``.
        checkpoint_every: seconds of training between checkpoints.
        keep: of which ended trials the weights of the best epoch stay on disk: ``"best"``,
            ``"top-10"`` or any other number, ``"all"`` or ``"none"``.
        max_epochs_total, max_minutes: bounds of the whole search.
        score: which epochs of a run count: ``"best"``, ``"last"``, or ``"mean_last_5"`` for the
            mean of so many last ones.
        weights: of several objectives, a number each: their weighted sum (of what is to be
            minimised, and of the others' negatives) ranks, as ``multi_objective``.
        fit_hp: arguments of `fit` to tune, e.g. ``{"batch_size": kt.space.choice([16, 32])}``.
        cv: cross-validation of arrays: a number of folds, or a splitter of scikit-learn. Each
            fold is a run of the trial, with curves of its own.
        repeats: another name for `executions_per_trial`; with `cv`, repetitions of all folds.

    Raises:
        InvalidInput: for an argument that cannot be meant.
        InvalidSpace: where `build_model` contradicts itself.
        StudyMismatch: if the folder holds another search.
    """

    def __init__(
        self,
        hypermodel: Any,
        options: TunerOptions,
        algorithm: str,
        algorithm_options: Mapping[str, Any] | None = None,
    ) -> None:
        options.check()
        algorithm_class(algorithm)
        self.algorithm = algorithm
        self._options = options
        self._algorithm_options = dict(algorithm_options or {})
        form = self._form(hypermodel)
        check_own_code(options, form, self._overrides(*TRAINING_HOOKS))
        given = to_objectives(_given(options.objective, form))
        self._weighing = read_weights(given, options.weights)
        self.objectives: tuple[Objective, ...] = (
            given if self._weighing is None else (self._weighing.objective, *given)
        )
        self._fit_hp = read_fit_hp(options.fit_hp, not self._plans_epochs)
        self._queue: tuple[Config, ...] = ()
        self._maker = ModelBuilder(
            hypermodel,
            to_space(options.hyperparameters),
            options.tune_new_entries,
            options.allow_new_entries,
            Recompile(options.optimizer, options.loss, options.metrics),
            options.distribution_strategy,
            self._fit_hp,
            form,
        )
        self.hypermodel = self._maker.hypermodel
        # Attributes that subclasses of KerasTuner's read.
        self.directory = str(options.directory or ".")
        self.project_name = str(options.project_name or UNTITLED)
        self.optimizer, self.loss, self.metrics = options.optimizer, options.loss, options.metrics
        self.executions_per_trial, self.max_model_size = options.turns, options.max_model_size
        self.distribution_strategy = options.distribution_strategy
        if options.workers != 1 or options.executor is not None or options.isolated:
            leave_gpu_memory()
        # Some seed is needed to build models with; which one does not change the space.
        self.space = self._maker.discover(0 if options.seed is None else int(options.seed))
        # Built for its checks alone: a wrong option is told before a folder is made.
        make_algorithm(self.algorithm, self.space, 0, self._algorithm_options)
        self._history: History | None = None
        self._epochs: int | None = None
        self.oracle = OracleView(
            lambda: self._history,
            lambda: self.space if self._history is None else self.results.space,
            self.objectives,
            options,
        )
        if options.overwrite:
            remove(options.folder)
        else:
            self.reload()

    #: Whether epochs come from the constructor, and jobs end at rungs.
    _plans_epochs: bool = False

    @abstractmethod
    def _scheduler(self, epochs: int | None) -> Scheduler:
        """Returns a fresh scheduler; `epochs` is what `search` was given, None before."""

    def _notes(self, epochs: int | None) -> tuple[str, ...]:
        """Returns what the user should be told about the arguments of `search`."""
        return ()

    def _settings(self, epochs: int | None) -> dict[str, Any]:
        """Returns what a resume compares besides space, objective, seed and data."""
        settings: dict[str, Any] = {"tuner": type(self).__name__, "algorithm": self.algorithm}
        if self._algorithm_options:
            settings["options"] = self._algorithm_options
        options = self._options
        if options.runs > 1 and self._maker.form != "anything":
            # How many runs a `run_trial` of the user's own will tell of is not known.
            settings["runs"] = options.runs
        if options.cv is not None:
            settings["cv"] = str(options.cv)
        if options.score != "best":
            settings["score"] = options.score
        if self._weighing is not None:
            settings["weights"] = [weight for _, weight in self._weighing.parts]
        return settings

    def plan(self) -> ShownPlan:
        """Returns brackets, trials and epochs, and the time once an epoch was seen.

        It prints as a table: ``print(tuner.plan())``, or by itself in a notebook.
        """
        return ShownPlan.of(self._plan(), self._seconds_per_epoch())

    def _plan(self) -> Plan:
        return self._planned(self._scheduler(self._epochs))

    def _planned(self, scheduler: Scheduler) -> Plan:
        plan = scheduler.plan()
        total = None if plan.epochs is None else plan.epochs * self._options.runs
        return replace(plan, epochs=total)

    def _seconds_per_epoch(self) -> float | None:
        if self._history is None or not self._history.epochs:
            return None
        spent = sum(trial.seconds for trial in self._history.trials.values())
        return spent / self._history.epochs

    def reload(self) -> None:
        """Takes over what the study's folder holds, if there is a study.

        Raises:
            StudyMismatch: if it is another search.
        """
        folder = self._options.folder
        if not (folder / LOG_NAME).exists():
            return
        try:
            history = self._stored(folder)
        except StudyNotFound:
            return  # killed before its first event
        stored = history.settings
        wish = self._wish(stored.get("epochs"), stored.get("data"))
        check(wish, history, folder, self._options.resume)
        self._history = history

    def _stored(self, folder: Path) -> History:
        try:
            return open_study(folder).history
        except StudyCorrupt as error:
            if not error.repairable:
                raise
        repair_study(folder)
        return open_study(folder).history

    def search(self, *args: Any, **kwargs: Any) -> None:
        """Searches. Takes `model.fit`'s arguments, and goes on where it was stopped.

        Args:
            *args: as for `model.fit`: x, y, ...
            **kwargs: as for `model.fit`: validation_data, batch_size, ... and further
                epochs: epochs of each trial, for tuners that do not plan them themselves.
                callbacks: callbacks, copied for each trial, or functions that make them.
                listeners: objects with a method ``on_event(event, snapshot)``, e.g. those of
                    `kerashpo.callbacks`; they hear everything that happens in the search.
                verbose: 0 for silence, 1 (default) for progress.
                fit_verbose: Keras's own verbosity within trials, 0 by default.

        Raises:
            InvalidInput: before anything is trained, e.g. for an objective that the model
                does not log.
            StudyMismatch: if the folder holds another search.
            ConsecutiveFailures: if too many trials fail one after another.
        """
        own = self._maker.form != "compiled"
        request = read_request(args, kwargs, own)
        scheduler = self._scheduler(request.epochs)
        self._epochs = request.epochs
        wish = self._wish(request.epochs, request.fingerprint)
        if not own:
            wish = replace(wish, environment={**wish.environment, **request.data.sizes()})
        opened = open_or_create(wish, self._options.folder, resume=self._options.resume)
        try:
            self._history = opened.history
            seed, folds = opened.history.seed, self._options.cv
            parts = fold(request.data, folds, self._options.turns, seed)
            if not (opened.history.trials or own):
                self._preflight(parts[0], request.callbacks, scheduler.max_epochs)
            trainer = self._trainer(request, RunData(parts, self._fit_hp), seed, scheduler)
            plan = self._planned(scheduler)
            left = partial(_left, plan, opened.history)
            executor, workers, told = self._executor(trainer, scheduler, request, left)
            notes = (*plan.notes, *self._notes(request.epochs), *told)
            listeners = self._listeners(trainer, request)
            display = make_display(
                request.verbose,
                self._title(),
                replace(plan, notes=notes),
                self.project_dir,
                workers,
            )
            if display is not None:
                listeners.append(display)
            self.on_search_begin()
            run_study(opened, self._recipe(scheduler), executor, listeners)
            self.on_search_end()
        finally:
            opened.store.close()

    def _recipe(self, scheduler: Scheduler) -> SearchParts:
        options = dict(self._algorithm_options)
        if self._queue:
            options["enqueue"] = self._queue
        return SearchParts(self.algorithm, scheduler, options, self._options.limits)

    def _trainer(
        self, request: Request, data: RunData, seed: int, scheduler: Scheduler
    ) -> RunnerFactory:
        return RunnerFactory(
            self._maker,
            self.results.space,
            data,
            request.callbacks,
            self._training(seed, scheduler),
            self._blobs,
            KerasSettings.current(),
            FitCall() if self._maker.form == "compiled" else request.call(self._plans_epochs),
            self._options.deterministic,
        )

    def _executor(
        self,
        trainer: RunnerFactory,
        scheduler: Scheduler,
        request: Request,
        left: Callable[[], float],
    ) -> tuple[Executor, int, tuple[str, ...]]:
        if not self._overrides(*TRAINING_HOOKS):
            return make_executor(self._options, trainer, scheduler, self.algorithm, left)
        return run_trial_executor(self, self.oracle, trainer, request, self._plans_epochs), 1, ()

    def _listeners(self, trainer: RunnerFactory, request: Request) -> list[Listener]:
        listeners: list[Listener] = [Retention(trainer.blobs, read_keep(self._options.keep))]
        if self._overrides(*TRIAL_HOOKS):
            listeners.append(TrialHooks(self, self.oracle))
        return [*listeners, *request.listeners]

    def enqueue(self, config: Mapping[str, Any]) -> None:
        """Has known good values tried first; what they leave out takes its default.

        Raises:
            InvalidSpace: for an unknown name or a value outside its domain.
        """
        self._queue = (*self._queue, dict(self.space.complete(config)))

    def _wish(self, epochs: int | None, data: str | None) -> StudySpec:
        objectives = tuple((o.name, o.direction) for o in self.objectives)
        settings = {**self._settings(epochs), "data": data}
        seed = None if self._options.seed is None else int(self._options.seed)
        return StudySpec(self.space.to_json(), objectives, seed, settings, provenance(_PACKAGES))

    def _training(self, seed: int, scheduler: Scheduler) -> Settings:
        options = self._options
        return Settings(
            self.objectives[0],
            seed,
            scheduler.max_epochs,
            options.runs,
            options.fast,
            read_bytes("keep_in_memory", options.keep_in_memory),
            options.checkpoint_every,
            options.max_model_size,
            Scoring.read(options.score),
            Derived(tuple(o for o in self.objectives if o.of is not None), self._weighing),
        )

    def _form(self, hypermodel: Any) -> Form:
        if self._overrides("run_trial"):
            return "anything"
        return "model" if overrides_fit(hypermodel) else "compiled"

    def _preflight(self, data: FitData, callbacks: tuple[Any, ...], epochs: int) -> None:
        """Sends one batch through the default model, so that mistakes show at once."""
        made = [callback.wrapped for callback in fresh_callbacks(callbacks)]
        model, _ = self._maker.make(self.space.default(), self.space, 0, 0)
        derived = () if self._weighing is None else (self._weighing.objective,)
        # A hook of the tuner's own may add metrics, and needs a trial to be asked.
        told = not self._overrides("on_epoch_end")
        logged = [o for o in self.objectives if told and o.of is None and o not in derived]
        check_objectives(model, data, logged, made, epochs)

    def _title(self) -> str:
        return f"{type(self).__name__} + {self.algorithm}"

    @property
    def _limit(self) -> float:
        """How many configurations there can be at most."""
        bound = self._options.max_trials
        if self._maker.form != "compiled":  # code that trains may ask for more parameters
            return float("inf") if bound is None else bound
        return self.space.size if bound is None else min(self.space.size, bound)


def _given(objective: Any, form: Form) -> Any:
    if objective is None and form != "compiled":
        return Objective(DEFAULT_OBJECTIVE, "min")
    if objective is None:
        raise InvalidInput(
            "objective is missing: name the metric to optimise, e.g. objective='val_accuracy'."
        )
    return objective


def _left(plan: Plan, history: History) -> float:
    """Returns how many epochs are planned and not trained yet, inf where none are planned."""
    return math.inf if plan.epochs is None else max(0, plan.epochs - history.epochs)
