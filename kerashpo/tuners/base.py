"""`Tuner`: the base class of all tuners, and one made from an oracle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

from kerashpo.algorithms.registry import make_algorithm
from kerashpo.core.errors import InvalidInput
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.core.records import Config, Plan
from kerashpo.display.select import make_display
from kerashpo.display.summary import search_line
from kerashpo.executors.base import Executor
from kerashpo.experience.notes import note
from kerashpo.i18n.texts import Texts
from kerashpo.objectives import energy
from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.final_round import FinalRound
from kerashpo.store.open import folder_of, has_log
from kerashpo.study.compatibility import header_of
from kerashpo.study.keras_tuner_project import overwrite, warn_of_project
from kerashpo.study.open import ReadLog, check, read_log
from kerashpo.study.remaining import nothing_left
from kerashpo.study.retention import Retention, read_keep
from kerashpo.study.run_study import SearchParts, run_study
from kerashpo.training.data import FitData
from kerashpo.training.factory import leave_gpu_memory
from kerashpo.training.folds import RunData, read_fit_hp
from kerashpo.training.hypermodel import Form
from kerashpo.training.loops.user_fit import overrides_fit
from kerashpo.tuners.builder import open_builder
from kerashpo.tuners.callback_files import BestTrialFiles
from kerashpo.tuners.context import check_context, read_context
from kerashpo.tuners.executor import make_executor, settle_checkpoints
from kerashpo.tuners.final_round import FinalRoundRequest
from kerashpo.tuners.final_weights import record_weights
from kerashpo.tuners.fit_request import SEARCH_SETTINGS, Request, read_request
from kerashpo.tuners.from_oracle import read_oracle, without_drawn_seed
from kerashpo.tuners.goal import Goal
from kerashpo.tuners.hooks import TRAINING_HOOKS, TRIAL_HOOKS, Hooks, TrialHooks
from kerashpo.tuners.not_kept import OF_TUNERS, missing, refuse_overrides
from kerashpo.tuners.open_search import open_search
from kerashpo.tuners.oracle_view import OracleView
from kerashpo.tuners.planned_search import PlannedSearch
from kerashpo.tuners.prediction_cost import note_prediction_energy
from kerashpo.tuners.run_trial import run_trial_executor
from kerashpo.tuners.search_plan import (
    epochs_left,
    require_bound,
    trial_epochs,
    trials_left,
    unused_epochs,
)
from kerashpo.tuners.strategy import Strategy
from kerashpo.tuners.training_notes import fit_notes
from kerashpo.tuners.training_setup import TrainingSetup
from kerashpo.tuners.tuner_options import (
    UNTITLED,
    TunerArguments,
    TunerOptions,
    check_own_code,
    read_options,
)


class Tuner(Hooks, PlannedSearch):
    """The base class of all tuners: searches over the models that a function builds.

    Used directly it is KerasTuner's `Tuner`: made from an oracle, as it is or subclassed, also
    together with a concrete tuner (``class Mine(MyTuner, kt.GridSearch)``). Only the arguments of
    the oracle are read; kerashpo runs the search, so that trials pause and resume, and no
    configuration is tried twice.

    Args:
        oracle: the algorithm, the schedule and the objective: an oracle of `kerashpo.oracles` or of
            KerasTuner, or a `Strategy`.
        hypermodel: a function ``build_model(hp)`` that returns a compiled model, or a
            `HyperModel`, whose `fit` is called where it has one of its own. None where
            `run_trial` is overridden and needs none.
        objective: a metric's name, an `Objective`, or a list of them: then the search is for
            their Pareto front, unless `weights` are given. Optional if `run_trial` or
            `HyperModel.fit` returns one number to minimise.
        max_trials: the most configurations to start.
        seed: an integer for a search that can be repeated; None draws one and stores it.
        **options: those of every tuner, below.

    Options of every tuner:
        hyperparameters: a `HyperParameters` whose definitions override those of `build_model`.
        tune_new_entries: whether parameters that are not among them are tuned.
        allow_new_entries: whether there may be such parameters at all.
        max_retries_per_trial: how often a failed trial is retried.
        max_consecutive_failed_trials: consecutive failed trials that end the search.
        executions_per_trial: how often each configuration is trained; its score is the mean.
        optimizer, loss, metrics: replace those that `build_model` compiled with.
        max_model_size: the most parameters; trials of larger models fail. The same as
            ``limits={"size": ...}``.
        distribution_strategy: a `tf.distribute` strategy to build models under.
        directory, project_name: the study is stored in ``directory/project_name``; the same
            search resumes there, a different one is refused.
        overwrite: delete the study there and start again.
        resume: ``"exact"`` refuses a study of another space, objective, seed, data or settings;
            ``"extend"`` accepts one that it widens (ranges, choices, parameters, more epochs).
        workers: processes that train. 1 is this process; ``"auto"`` begins here and starts
            worker processes once the remaining epochs justify their start-up time. May name any
            executor.
        executor: where trials train: a name of `kerashpo.executors.registry`, or a factory
            such as ``kt.executors.Processes(workers=4)``; None for what `workers` implies.
        trial_timeout: seconds in which a trial must be built and report its first epoch, and
            after each epoch the next one; a worker that exceeds it is ended and the trial
            continues in another; the third time at the same epoch fails it.
        max_worker_memory: e.g. ``"4GB"``: a worker process that takes more is replaced between
            two trials.
        deterministic: one thread per worker, so that any number of workers gives the same numbers.
            This option and the two before train in worker processes, one with ``workers=1``.
        fast: ``"auto"`` compiles whole epochs if that is exact, False never does, True requires it.
        population: how many trials of one shape are trained as one program, on JAX; ``"auto"`` for
            8 where that pays, which the display says; None for one by one.
        keep_in_memory: size of the checkpoints of paused trials in memory, e.g. ``"1GB"``.
        checkpoint_every: seconds of training between checkpoints.
        keep: of which ended trials the best weights are kept: ``"best"``, ``"top-10"`` or any other
            number, ``"all"`` or ``"none"``.
        max_epochs_total, max_minutes, max_energy_wh: limits of the search; the last one is
            explained at `kerashpo.objectives.energy`.
        score: the epochs of a run that count: ``"best"``, ``"last"``, or e.g. ``"mean_last_5"``.
        weights: a number for each of several objectives: their weighted sum (with the sign of
            objectives to maximise reversed) ranks trials, as ``multi_objective``.
        limits: by metric (or `Objective`) the worst value that a trial may have, e.g.
            ``{"size": 1e6, "val_recall": 0.9}``: at most for a metric that is minimised, at
            least for one that is maximised; ``"size"`` and the other names of
            `kerashpo.objectives` need not be logged. A trial that exceeds one is never the
            best nor on the Pareto front; what can be known before training costs no epoch.
        warm_start: earlier searches whose best configurations are tried first and whose results
            the algorithm learns from, see `optimize`.
        context: ``"auto"`` (or features of the data): start from the earlier searches on the most
            similar data, and note the features for later ones, see `kerashpo.experience`.
        strict: whether a doubtful definition of a parameter, which KerasTuner accepts, is an
            error instead of a warning: two different definitions of a name, a default between
            the steps of its range, a range that the step does not divide, a repeated choice.
        fit_hp: arguments of `fit` to tune, e.g. ``{"batch_size": kt.space.choice([16, 32])}``.
        cv: cross-validation of arrays: a number of folds or a splitter; each fold is a run.
        repeats: another name for `executions_per_trial`; with `cv`, repetitions of all folds.
        lang: ``"en"``, ``"es"`` or ``"auto"`` (the system's); None: ``KERASHPO_LANG`` or English.
        logger, tuner_id: KerasTuner's; without effect.

    Raises:
        InvalidInput: for an invalid argument.
        InvalidSpace: if the definitions of `build_model` contradict each other.
        StudyMismatch: if the folder contains a different search.
    """

    def __init__(
        self,
        oracle: Any = None,
        hypermodel: Any = None,
        *,
        objective: Any = None,
        max_trials: int | None = None,
        seed: int | None = None,
        **options: Unpack[TunerArguments],
    ) -> None:
        refuse_overrides(type(self), Tuner)
        given = {"objective": objective, "max_trials": max_trials, "seed": seed, **options}
        self._strategy, given = read_oracle(oracle, given)
        self._strategy.check()
        found = read_options(type(self), given)
        check_context(found.context)
        self._set_attributes(found)
        # Absolute, so that the study stays in place if this process changes its working directory.
        found = replace(found, directory=folder_of(found.directory or ".").absolute())
        self._options = found if isinstance(oracle, Strategy) else without_drawn_seed(found)
        form = self._form(hypermodel)
        check_own_code(self._options, form, self._overrides(*TRAINING_HOOKS))
        own = form != "compiled"
        self._goal = Goal.read(
            found.objective, found.weights, own, found.limits, found.max_model_size
        )
        if found.max_energy_wh is not None:
            self._goal = replace(self._goal, counted=(energy(),))
        self._strategy.check_objectives(self._goal.objectives)
        self._fit_hp = read_fit_hp(self._options.fit_hp, not self._strategy.schedule.plans_epochs)
        if found.workers != 1 or found.executor is not None or found.isolated:
            leave_gpu_memory()
        log = None if found.overwrite else self._stored_log()
        built = open_builder(hypermodel, self._options, self._fit_hp, form, log)
        self._builder, self.space, self._obstacle = built.builder, built.space, built.obstacle
        self.hypermodel = self._builder.hypermodel
        self._strategy = self._warmed(self._fit_strategy(self._strategy, log))
        # Built only to check the options: a wrong one is reported before a folder is made.
        make_algorithm(self.algorithm, self.space, 0, self._strategy.options)
        self._queue: tuple[Config, ...] = ()
        self._log: ReadLog | None = None
        self._folded: History | None = None
        self._epochs: int | None = None
        self._final: FinalRoundRequest | None = None
        self._searched: FitData | None = None
        self._singles: dict[tuple[int, int], Any] = {}
        require_bound(self._options, self._strategy.schedule, self.space.size)
        self.oracle = OracleView(
            lambda: self._history,
            lambda: self.space if self._history is None else self.results.space,
            self.objectives,
            self._options,
            self._strategy.schedule,
        )
        if self._options.overwrite:
            overwrite(self._options.folder)
        else:
            warn_of_project(self._options.folder)
            if log is not None:
                self._load(log)

    def _fit_strategy(self, strategy: Strategy, log: ReadLog | None) -> Strategy:
        """Returns the strategy, completed with what the space and the models determine.

        Args:
            strategy: the one that the constructor made.
            log: the log of the study in the folder, None if there is none.
        """
        return strategy

    def _set_attributes(self, options: TunerOptions) -> None:
        """Sets the attributes that subclasses written for KerasTuner read."""
        self.directory = str(options.directory or ".")
        self.project_name = str(options.project_name or UNTITLED)
        self.optimizer, self.loss, self.metrics = options.optimizer, options.loss, options.metrics
        self.executions_per_trial, self.max_model_size = options.turns, options.max_model_size
        self.distribution_strategy = options.distribution_strategy
        self.logger, self.tuner_id = None, "tuner0"

    if not TYPE_CHECKING:  # a misspelt attribute stays an error there

        def __getattr__(self, name: str) -> Any:
            raise missing(type(self).__name__, name, OF_TUNERS.get(name))

    @property
    def _history(self) -> History | None:
        """The study's history: the loop's own from `search` on, before that the stored one."""
        if self._folded is None and self._log is not None:
            self._folded = History(self._log.events)
        return self._folded

    def reload(self) -> None:
        """Loads the study in the folder, if there is one.

        Raises:
            StudyMismatch: if it is a different search.
        """
        log = self._stored_log()
        if log is not None:
            self._load(log)

    def _stored_log(self) -> ReadLog | None:
        """Returns the log in the study's folder, None if there is none."""
        folder = self._options.folder
        log = read_log(folder) if has_log(folder) else None
        return log if log is not None and log.events else None  # killed before its first event

    def _load(self, log: ReadLog) -> None:
        """Loads a stored study, which must be of the same search."""
        settings = header_of(log.events).settings
        # Epochs, data and arguments of fit are compared once search knows them.
        stored = {name: settings.get(name) for name in SEARCH_SETTINGS}
        spec = self._assemble(settings.get("epochs"), stored).spec
        check(spec, log.events, self._options.folder, self._options.resume)
        self._log, self._folded = log, None

    def enqueue(self, config: Mapping[str, Any]) -> None:
        """Adds a configuration to try first; parameters it leaves out take their defaults.

        Raises:
            InvalidSpace: for an unknown name or a value outside its domain.
        """
        self._queue = (*self._queue, dict(self.space.complete(config)))

    def search(self, *args: Any, **kwargs: Any) -> None:
        """Searches, or resumes an interrupted search. Takes the arguments of `model.fit`.

        Args:
            *args: as for `model.fit`: x, y, ...
            **kwargs: as for `model.fit`: validation_data, batch_size, ... and those below.

        Further arguments:
            epochs: epochs of each trial, for tuners that do not plan them themselves.
            callbacks: callbacks, copied for each trial, or functions that make them.
            listeners: objects with a method ``on_event(event, snapshot)``, e.g. those of
                `kerashpo.callbacks`; they are called for every event.
            verbose: 0 for no output, 1 (default) for progress.
            fit_verbose: Keras's own verbosity within trials, 0 by default.
            final_round: a number of folds (e.g. 5) on which the best trials and the default
                configuration are cross-validated when the search ends, within its budget; or
                a splitter of scikit-learn, or a list of its indices. See `results.final`.
            reshuffle: True for a separate split into training and validation rows for each
                trial, usually together with `results.ensemble()`.

        Raises:
            InvalidInput: before anything is trained, e.g. for an objective that the model
                does not log.
            StudyMismatch: if the folder contains a different search.
            ConsecutiveFailures: after too many consecutive failed trials.
        """
        own = self._builder.form != "compiled"
        request = read_request(args, kwargs, own)
        self._epochs, length = request.epochs, trial_epochs(request.epochs, self._fit_hp)
        self._searched = None if own else request.data
        self._final = self._read_final(request, own)
        self._context = read_context(self._options.context, request, own)
        assembly = self._assemble(length, request.compared())
        sizes = {} if own else request.data.sizes()
        spec = replace(assembly.spec, environment={**assembly.spec.environment, **sizes})

        def make_parts() -> SearchParts:
            return self._assemble(length, request.compared()).parts

        self._require_builder(make_parts)
        options = self._options
        opened = open_search(
            spec, options.folder, options.resume, self._log, assembly.parts, make_parts
        )
        try:
            self._log, self._folded = None, opened.history
            if self._context is not None:
                note(options.folder, self._context)
            executor, listeners, data = self._prepare(request, opened.history, assembly.parts)
            self.on_search_begin()
            run_study(opened, assembly.parts, executor, listeners)
            note_prediction_energy(self._goal, opened, self.load_model)
            record_weights(opened, self._stored_models(opened.history), data)
            self.on_search_end()
        finally:
            opened.store.close()

    def _require_builder(self, make_parts: Callable[[], SearchParts]) -> None:
        """Raises InvalidInput if trials remain to be trained and no model can be built."""
        if self._obstacle is None:
            return
        if self._log is None or not nothing_left(self._log.events, make_parts()):
            raise InvalidInput(self._obstacle)

    def __repr__(self) -> str:
        texts = Texts.of(self._options.lang)
        count, folder = len(self.space.params), self.project_dir
        line = search_line(count, self.objectives, folder, self._history, texts)
        return f"<{self._title()}: {line}>"

    def _form(self, hypermodel: Any) -> Form:
        """Returns the form of the hypermodel: what it makes, and who trains it."""
        if self._overrides("run_trial"):
            return "anything"
        return "model" if overrides_fit(hypermodel) else "compiled"

    def _prepare(
        self, request: Request, history: History, parts: SearchParts
    ) -> tuple[Executor, list[Listener], RunData]:
        """Returns executor, listeners and data, once the study is open and its seed known."""
        schedule, scheduler, options = self._strategy.schedule, parts.scheduler, self._options
        goal, final = self._goal, self._final
        setup = TrainingSetup(
            options, request, goal, self._builder, self._fit_hp, final, history.seed
        )
        folds, obstacle = setup.folds(), None
        if not history.trials and self._builder.form == "compiled":
            # A hook of the tuner's own may add metrics, and needs a trial to be called with.
            logged = () if self._overrides("on_epoch_end") else self._goal.logged
            obstacle = setup.check_first(self.space, scheduler, folds[0], logged)
        space, epochs, planned = self.results.space, scheduler.max_epochs, schedule.plans_epochs
        settle_checkpoints(options)
        factory = setup.factory(space, folds, epochs, planned, self._blobs)
        plan = self._with_notes(scheduler.plan().of_runs(options.runs))
        unused = unused_epochs(type(self).__name__, schedule, request.epochs)
        plan = replace(plan, notes=(*plan.notes, *unused, *fit_notes(obstacle, options.fast)))
        if self._overrides(*TRAINING_HOOKS):
            hooked = run_trial_executor(self, self.oracle, factory, request, planned)
            return hooked, self._listeners(request, scheduler, plan, 1), factory.data
        left = partial(epochs_left, plan, history)
        jobs = partial(trials_left, plan, history, isinstance(scheduler, FinalRound))
        executor, workers, notes = make_executor(options, factory, parts, left, jobs, plan)
        plan = replace(plan, notes=(*plan.notes, *notes))
        return executor, self._listeners(request, scheduler, plan, workers), factory.data

    def _listeners(
        self, request: Request, scheduler: Scheduler, plan: Plan, workers: int
    ) -> list[Listener]:
        chosen = (scheduler.chosen,) if isinstance(scheduler, FinalRound) else ()
        listeners: list[Listener] = [Retention(self._blobs, read_keep(self._options.keep), *chosen)]
        if self._overrides(*TRIAL_HOOKS):
            listeners.append(TrialHooks(self, self.oracle))
        if request.callbacks:
            listeners.append(BestTrialFiles(request.callbacks))
        listeners += request.listeners
        lang, folder = self._options.lang, self.project_dir if self._folder_kept else None
        shown = (request.verbose, self._title(), plan, folder, workers, lang, self._report_call)
        display = make_display(*shown)
        return [*listeners, display]
