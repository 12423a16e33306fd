"""Optuna's samplers over ``build_model(hp)``, defined by run as its users write it."""

from __future__ import annotations

import math
from typing import Any, final

import keras
import keras_tuner
import optuna
from keras_tuner.engine import hyperparameters as kt

from kerashpo.compare.peers.recorder import PeerSettings, Recorder
from kerashpo.core.errors import InvalidInput
from kerashpo.problems.task import Task
from kerashpo.training.folds import fit_values, read_fit_hp
from kerashpo.training.hypermodel import ModelBuilder
from kerashpo.training.keras_tuner_params import to_keras

POPULATION = 50
"""Optuna's default of NSGA-II."""


def search(name: str, settings: PeerSettings, recorder: Recorder) -> None:
    """Searches with one of Optuna's samplers; the recorder keeps every epoch.

    Args:
        name: ``"tpe"`` (multivariate, in groups for conditional parameters), ``"gp"`` or
            ``"nsga2"``; all three also search for the front of several objectives.
        settings: data, budget and seed of the search.
        recorder: records every build and every epoch, and ends the search by `BudgetSpent`.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    task = settings.task
    study = optuna.create_study(
        directions=[f"{objective.direction}imize" for objective in task.objectives],
        sampler=_sampler(name, settings),
    )
    # A Gaussian process needs every column in every trial: without them Optuna would draw
    # conditional parameters at random.
    columns = _columns(task) if name == "gp" else []
    for _ in range(settings.allowed.trials or 0):
        trial = study.ask()
        for column in columns:
            suggest(trial, column)
        scores = _train(trial, settings, recorder)
        if scores and all(map(math.isfinite, scores)):
            study.tell(trial, scores)
        else:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)


def _sampler(name: str, settings: PeerSettings) -> Any:
    seed, initial_points = settings.seed, settings.initial_points
    if name == "nsga2":
        # Its default of 50 would leave a search of 50 trials or fewer to chance.
        size = min(POPULATION, max(8, (settings.allowed.trials or 0) // 5))
        return optuna.samplers.NSGAIISampler(seed=seed, population_size=size)
    if name == "gp":
        return optuna.samplers.GPSampler(seed=seed, n_startup_trials=initial_points)
    return optuna.samplers.TPESampler(
        seed=seed, n_startup_trials=initial_points, multivariate=True, group=True
    )


def _columns(task: Task) -> list[Any]:
    """Returns every parameter that `build_model` may declare, as KerasTuner hyperparameters."""
    params = ModelBuilder(task.build).discover(0).params
    return [to_keras(param) for param in (*read_fit_hp(task.fit_hp).params, *params)]


def _train(trial: Any, settings: PeerSettings, recorder: Recorder) -> list[float]:
    """Trains one trial; returns the objectives at its best epoch, nothing where it has none."""
    keras.backend.clear_session()
    hp = OptunaHyperParameters(trial)
    tuned = read_fit_hp(settings.task.fit_hp)
    for param in tuned.params:
        hp._retrieve(to_keras(param))
    model = settings.task.build(hp)
    recorder.begin(hp.values)
    x, y = settings.split.train
    history = model.fit(
        x,
        y,
        validation_data=settings.split.validation,
        epochs=settings.max_epochs,
        callbacks=[recorder],
        verbose=0,
        **{"batch_size": settings.task.batch_size, **fit_values(tuned, hp.values)},
    )
    if settings.task.further:
        best = recorder.winner_of(hp.values)
        return [] if best is None else [best.metrics[one.name] for one in settings.task.objectives]
    objective = settings.task.objective
    values = [value for value in history.history[objective.name] if math.isfinite(value)]
    return [min(values, key=objective.cost)] if values else []


@final
class OptunaHyperParameters(keras_tuner.HyperParameters):  # type: ignore[misc]
    """A `HyperParameters` whose values an Optuna trial suggests when they are read."""

    def __init__(self, trial: Any) -> None:
        super().__init__()
        self._trial = trial

    def _retrieve(self, hp: Any) -> Any:
        if hp.name not in self.values and self._conditions_are_active(hp.conditions):
            self.values[hp.name] = suggest(self._trial, hp)
        return super()._retrieve(hp)


def suggest(trial: Any, hp: Any) -> Any:
    """Returns the value that an Optuna trial suggests for a KerasTuner hyperparameter.

    Raises:
        InvalidInput: for a parameter that Optuna has no equivalent of.
    """
    match hp:
        case kt.Fixed():
            return hp.value
        case kt.Boolean():
            return trial.suggest_categorical(hp.name, [False, True])
        case kt.Choice():
            return trial.suggest_categorical(hp.name, list(hp.values))
        case kt.Int(sampling="linear"):
            return trial.suggest_int(hp.name, hp.min_value, hp.max_value, step=hp.step or 1)
        case kt.Float(sampling="linear"):
            return trial.suggest_float(hp.name, hp.min_value, hp.max_value, step=hp.step)
        case kt.Int(sampling="log", step=1 | None):
            return trial.suggest_int(hp.name, hp.min_value, hp.max_value, log=True)
        case kt.Float(sampling="log", step=None):
            return trial.suggest_float(hp.name, hp.min_value, hp.max_value, log=True)
    raise InvalidInput(
        f"Optuna has no equivalent of {hp!r} (sampling {hp.sampling!r}, step {hp.step!r}). "
        "Compare on a problem without it, or leave Optuna's tuners out."
    )
