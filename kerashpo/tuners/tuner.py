"""`Tuner`: what all tuners share. Composes space, algorithm, scheduler, store and training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras

from kerashpo.algorithms.registry import algorithm_class, make_algorithm
from kerashpo.core.directions import to_objectives
from kerashpo.core.errors import InvalidInput, nearest, require_integer
from kerashpo.core.history import History
from kerashpo.core.records import Objective, Plan
from kerashpo.display.choose import make_display
from kerashpo.display.listener import Listener
from kerashpo.display.plan import ShownPlan
from kerashpo.executors.serial import SerialExecutor
from kerashpo.schedulers.base import Scheduler
from kerashpo.store.blobs import FileBlobs
from kerashpo.study.opening import LOG_NAME, Wish, check, open_or_create, remove
from kerashpo.study.results import Results
from kerashpo.study.running import Recipe, environment, run_study
from kerashpo.study.study import open_study
from kerashpo.training.callbacks import check_callbacks, fresh_callbacks
from kerashpo.training.fitdata import FitData
from kerashpo.training.hp import HyperParameters, to_space
from kerashpo.training.models import ModelMaker, Recompile
from kerashpo.training.preflight import check_objectives
from kerashpo.training.runner import KerasRunner, Settings
from kerashpo.training.trained import load_model, make_ways
from kerashpo.tuners.arguments import Options, read_bytes
from kerashpo.tuners.retention import Retention
from kerashpo.tuners.summary import results_text, space_text

_PACKAGES = ("kerashpo", "keras", "tensorflow", "jax", "keras-tuner", "numpy", "scipy")


class Tuner(ABC):
    """A search over the models that a function builds.

    Subclasses name an algorithm and build a scheduler; everything else is here.

    Args:
        hypermodel: a function ``build_model(hp)`` that returns a compiled model, or a
            `HyperModel`.
        objective: a metric's name, an `Objective`, or a list of them (the first ranks).
        seed: an integer for a search that can be repeated; None draws one and stores it.
        hyperparameters: a `HyperParameters` whose definitions win over `build_model`'s.
        tune_new_entries: whether parameters that are not among them are tuned.
        allow_new_entries: whether there may be such parameters at all.
        max_trials: configurations to start at most.
        max_retries_per_trial: how often a failed trial is tried again.
        max_consecutive_failed_trials: failed trials in a row that end the search.
        executions_per_trial: how often each configuration is trained; the score is the
            mean of the best epochs.
        optimizer, loss, metrics: replace what `build_model` compiled with.
        max_model_size: parameters; larger models fail.
        distribution_strategy: a `tf.distribute` strategy to build models under.
        directory, project_name: the study lives in ``directory/project_name``; the same
            search goes on there, another one is refused.
        overwrite: delete the study there and start anew.
        workers: processes that train; 1.
        fast: ``"auto"`` compiles whole epochs where that is exact, False never does, True
            raises where it cannot.
        keep_in_memory: how much of paused trials stays in memory, e.g. ``"1GB"``.
        checkpoint_every: seconds of training between checkpoints.
        max_epochs_total, max_minutes: bounds of the whole search.

    Raises:
        InvalidInput: for an argument that cannot be meant.
        InvalidSpace: where `build_model` contradicts itself.
        StudyMismatch: if the folder holds another search.
    """

    def __init__(
        self,
        hypermodel: Any,
        options: Options,
        algorithm: str,
        algorithm_options: Mapping[str, Any] | None = None,
    ) -> None:
        options.check()
        algorithm_class(algorithm)
        self.algorithm = algorithm
        self._options = options
        self._algorithm_options = dict(algorithm_options or {})
        self.objectives: tuple[Objective, ...] = to_objectives(_given(options.objective))
        self._maker = ModelMaker(
            hypermodel,
            to_space(options.hyperparameters),
            options.tune_new_entries,
            options.allow_new_entries,
            Recompile(options.optimizer, options.loss, options.metrics),
            options.distribution_strategy,
        )
        self.hypermodel = self._maker.hypermodel
        # Some seed is needed to build models with; which one does not change the space.
        self.space = self._maker.discover(0 if options.seed is None else int(options.seed))
        # Built for its checks alone: a wrong option is told before a folder is made.
        make_algorithm(self.algorithm, self.space, 0, self._algorithm_options)
        self._history: History | None = None
        self._epochs: int | None = None
        if options.overwrite:
            remove(options.folder)
        else:
            self.reload()

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
        if self._options.executions_per_trial > 1:
            settings["runs"] = self._options.executions_per_trial
        return settings

    @property
    def project_dir(self) -> str:
        """The study's folder."""
        return str(self._options.folder)

    @property
    def results(self) -> Results:
        """What was found so far, see `kerashpo.study.results.Results`."""
        if self._history is None:
            raise InvalidInput("Nothing was searched yet: call search(x, y, ...) first.")
        return Results(self._history, self.space)

    def plan(self) -> ShownPlan:
        """Returns brackets, trials and epochs, and the time once an epoch was seen.

        It prints as a table: ``print(tuner.plan())``, or by itself in a notebook.
        """
        return ShownPlan.of(self._plan(), self._seconds_per_epoch())

    def _plan(self) -> Plan:
        return self._scheduler(self._epochs).plan()

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
        history = open_study(folder).history
        stored = history.settings
        check(self._wish(stored.get("epochs"), stored.get("data")), history, folder)
        self._history = history

    def search(self, *args: Any, **kwargs: Any) -> None:
        """Searches. Takes `model.fit`'s arguments, and goes on where it was stopped.

        Args:
            *args: as for `model.fit`: x, y, ...
            **kwargs: as for `model.fit`: validation_data, batch_size, ... and further
                epochs: epochs of each trial, for tuners that do not plan them themselves.
                callbacks: callbacks, copied for each trial, or functions that make them.
                verbose: 0 for silence, 1 (default) for progress.
                fit_verbose: Keras's own verbosity within trials, 0 by default.

        Raises:
            InvalidInput: before anything is trained, e.g. for an objective that the model
                does not log.
            StudyMismatch: if the folder holds another search.
            ConsecutiveFailures: if too many trials fail one after another.
        """
        epochs = kwargs.pop("epochs", None)
        if epochs is not None:
            require_integer("epochs", epochs, 1)
        callbacks = check_callbacks(kwargs.pop("callbacks", None))
        verbose, fit_verbose = kwargs.pop("verbose", 1), kwargs.pop("fit_verbose", 0)
        data = FitData.from_fit(*args, **kwargs, verbose=fit_verbose)
        scheduler = self._scheduler(epochs)
        self._epochs = epochs
        wish = self._wish(epochs, data.fingerprint())
        opened = open_or_create(wish, self._options.folder)
        try:
            self._history = opened.history
            if not opened.history.trials:
                self._preflight(data, callbacks)
            recipe = Recipe(
                self.algorithm, scheduler, self._algorithm_options, self._options.limits
            )
            blobs = FileBlobs(self._options.folder / "checkpoints")
            runner = KerasRunner(
                self._maker,
                self.results.space,
                data,
                callbacks,
                self._training(opened.history.seed, scheduler),
                blobs,
                make_ways(),
            )
            listeners: list[Listener] = [Retention(blobs)]
            plan = scheduler.plan()
            plan = replace(plan, notes=(*plan.notes, *self._notes(epochs)))
            display = make_display(verbose, self._title(), plan, self.project_dir)
            if display is not None:
                listeners.append(display)
            run_study(opened, recipe, SerialExecutor(runner), listeners)
        finally:
            opened.store.close()

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[HyperParameters]:
        """Returns the parameters of the best trials, the best first."""
        return [
            HyperParameters.with_values(self.results.space, self.results.history.trials[n].config)
            for n in self._ranked(num_trials)
        ]

    def get_best_models(self, num_models: int = 1) -> list[keras.Model]:
        """Returns the best trials' models with the weights of their best epochs.

        Raises:
            InvalidInput: if the weights of so many trials were not kept.
        """
        blobs, results = FileBlobs(self._options.folder / "checkpoints"), self.results
        trials = [results.history.trials[number] for number in self._ranked(num_models)]
        return [
            load_model(self._maker, results.space, results.seed, trial, blobs) for trial in trials
        ]

    def results_summary(self, num_trials: int = 10) -> None:
        """Prints the best trials."""
        print(results_text(self.results, self._ranked(num_trials), self.project_dir))

    def search_space_summary(self, extended: bool = False) -> None:
        """Prints the search space; `extended` is KerasTuner's and changes nothing there either."""
        print(space_text(self.space))

    def _ranked(self, count: int) -> list[int]:
        require_integer("the number of trials", count, 1)
        history = self.results.history
        ranks = sorted(history.rank(number) for number in history.trials)
        return [number for cost, _, number in ranks if cost < float("inf")][:count]

    def _wish(self, epochs: int | None, data: str | None) -> Wish:
        objectives = tuple((o.name, o.direction) for o in self.objectives)
        settings = {**self._settings(epochs), "data": data}
        seed = None if self._options.seed is None else int(self._options.seed)
        return Wish(self.space.to_json(), objectives, seed, settings, environment(_PACKAGES))

    def _training(self, seed: int, scheduler: Scheduler) -> Settings:
        options = self._options
        return Settings(
            self.objectives[0],
            seed,
            scheduler.max_epochs,
            options.executions_per_trial,
            options.fast,
            read_bytes(options.keep_in_memory),
            options.checkpoint_every,
            options.max_model_size,
        )

    def _preflight(self, data: FitData, callbacks: tuple[Any, ...]) -> None:
        """Sends one batch through the default model, so that mistakes show at once."""
        made = [callback.wrapped for callback in fresh_callbacks(callbacks)]
        model, _ = self._maker.make(self.space.default(), self.space, 0, 0)
        check_objectives(model, data, self.objectives, made)

    def _title(self) -> str:
        return f"{type(self).__name__} + {self.algorithm}"

    @property
    def _limit(self) -> float:
        """How many configurations there can be at most."""
        bound = self._options.max_trials
        return self.space.size if bound is None else min(self.space.size, bound)


def _given(objective: Any) -> Any:
    if objective is None:
        raise InvalidInput(
            "objective is missing: name the metric to optimise, e.g. objective='val_accuracy'."
        )
    return objective


def read_options(cls: type, given: dict[str, Any], own: tuple[str, ...]) -> Options:
    """Returns the shared options among a tuner's keyword arguments.

    Raises:
        InvalidInput: for an argument that neither they nor the tuner know.
    """
    known = [*Options.__slots__]
    for name in given:
        if name not in known:
            names = [*own, *known]
            raise InvalidInput(
                f"{cls.__name__} has no argument {name!r}.{nearest(name, names)} "
                f"It takes: {', '.join(names)}."
            )
    return Options(**given)
