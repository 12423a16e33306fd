"""The models of a study's trials: with stored weights, or trained from scratch."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
from collections.abc import Callable, Sequence
from typing import Any, final

import keras

from kerashpo.analysis.lineage import line_of
from kerashpo.core.errors import InvalidInput, NoResult, require_integer
from kerashpo.core.history import History
from kerashpo.core.records import Config
from kerashpo.core.trial import Trial
from kerashpo.space.space import Space
from kerashpo.store.base import Blobs
from kerashpo.study.result_models import Models
from kerashpo.training.data import FitData
from kerashpo.training.ensemble import average_models
from kerashpo.training.folds import EPOCHS, fit_values
from kerashpo.training.hypermodel import ModelBuilder, load_model
from kerashpo.training.loops.base import finish
from kerashpo.training.loops.model_fit import FitLoop
from kerashpo.training.loops.user_fit import FitCall, LeaveFit, UserFitLoop, overrides_fit, takes
from kerashpo.training.randomness import EpochKeys
from kerashpo.training.replay import ReplaySchedule
from kerashpo.training.resampling import all_rows
from kerashpo.training.user_callbacks import OncePerTrial, check_callbacks, fresh_callbacks


def _end(model: keras.Model, callbacks: Sequence[OncePerTrial]) -> None:
    """Ends the training of a model and its callbacks, as `fit` does."""
    finish(model)
    for callback in callbacks:
        callback.end(model)


@final
class StoredModels(Models):
    """Models of a tuner's trials.

    Args:
        builder: builds models.
        space: the study's search space.
        history: the study's history.
        blobs: storage of the weights.
        fit_hp: the parameters that are arguments of `fit`.
        data: the data of the last search in this process, None before.
        singles: cache of the models trained on all rows, by trial and epochs.
    """

    def __init__(
        self,
        builder: ModelBuilder,
        space: Space,
        history: History,
        blobs: Blobs,
        fit_hp: Space,
        data: FitData | None = None,
        singles: dict[tuple[int, int], keras.Model] | None = None,
    ) -> None:
        self._builder, self._space, self._history, self._blobs = builder, space, history, blobs
        self._fit_hp, self._data = fit_hp, data
        self._singles = {} if singles is None else singles

    def best(self) -> keras.Model:
        return self._load(self._trial())

    def average(
        self, members: Sequence[tuple[int, int]], weights: Sequence[float] | None = None
    ) -> keras.Model:
        models, names = [], []
        for number, run in members:
            trial = self._history.trials[number]
            several = trial.runs > 1 or bool(trial.extra)
            models.append(self._load(trial, run))
            names.append(f"trial_{number}_run_{run}" if several else f"trial_{number}")
        # For models without `keras.Input`; unknown in a process that has not searched.
        inputs = self._data.x if self._data is not None and self._data.is_arrays else None
        return average_models(models, names, inputs, weights=weights)

    def single(self, trial: int, epochs: int) -> keras.Model:
        if (trial, epochs) not in self._singles:
            self._singles[trial, epochs] = self._train_single(trial, epochs)
        return self._singles[trial, epochs]

    def replay(self, stages: Sequence[tuple[int, Config]]) -> keras.callbacks.Callback:
        stage_values = [fit_values(self._fit_hp, config) for _, config in stages]
        last = stage_values[-1]
        changed = [name for name in last if any(one[name] != last[name] for one in stage_values)]
        if changed:
            raise InvalidInput(
                f"The schedule changes {', '.join(changed)}, which fit takes once, so no callback "
                "can change it. results.schedule() has the values by epoch."
            )
        seed = self._history.seed

        def build(config: Config) -> keras.Model:
            return self._builder.make(config, self._space, seed, 0)[0]

        return ReplaySchedule(stages, build)

    def _train_single(self, trial: int, epochs: int) -> keras.Model:
        if self._data is None:
            raise InvalidInput(
                "final.single trains on the data of the search, which are not known in this "
                "process: call search with the same arguments once more (nothing is trained "
                "again), then results.final.single."
            )
        record, seed = self._history.trials[trial], self._history.seed
        model, _ = self._builder.make(record.config, self._space, seed, trial, record.runs)
        tuned = fit_values(self._fit_hp, record.config)
        tuned.pop(EPOCHS, None)
        data = dataclasses.replace(all_rows(self._data), **tuned)
        FitLoop().train(model, data, 1, epochs, [], EpochKeys(seed, trial, record.runs))
        finish(model)
        return model

    def load(self, trial: int, run: int) -> keras.Model:
        """Returns the stored best model of one run of a trial, compiled."""
        return self._load(self._history.trials[trial], run)

    def _load(self, trial: Trial, run: int | None = None) -> keras.Model:
        seed, space = self._history.seed, self._space
        return load_model(self._builder, space, seed, trial, self._blobs, run)

    def refit(self, args: tuple[Any, ...], epochs: int | None, fit: dict[str, Any]) -> keras.Model:
        trial, seed = self._trial(), self._history.seed
        run = trial.best_run
        last = (
            trial.run_bests[run].epoch if epochs is None else require_integer("epochs", epochs, 1)
        )
        callbacks = fresh_callbacks(check_callbacks(fit.pop("callbacks", None)))
        line = line_of(self._history, trial.number)
        first = line[0]
        model, hp = self._builder.make(first.config, self._space, seed, first.trial, run)
        keys = EpochKeys(seed, first.trial, run)
        every: list[keras.callbacks.Callback] = [*callbacks]
        if len(line) > 1:
            every.insert(0, self.replay([(stage.first, stage.config) for stage in line]))
        hypermodel = self._builder.hypermodel
        if hypermodel is not None and overrides_fit(hypermodel):
            passed = epochs is not None or self._passes_epochs(hypermodel.fit)
            call = FitCall(args, fit, epochs_given=passed)
            own = UserFitLoop(hypermodel)
            # A fit that sets its own epochs ends at the best epoch.
            with contextlib.suppress(LeaveFit):
                own.train(call, hp, model, (1, last), every, keys, lambda at, _: at >= last)
            _end(model, callbacks)
            return model
        if not isinstance(model, keras.Model) or not model.compiled:
            raise InvalidInput(
                "refit_best trains with model.fit, but this tuner's run_trial has its own training "
                "code: build the best configuration and train it with that code."
            )
        tuned = fit_values(self._fit_hp, trial.config)
        tuned.pop(EPOCHS, None)
        data = FitData.from_fit(*args, **{**tuned, **fit})
        FitLoop().train(model, data, 1, last, every, keys)
        _end(model, callbacks)
        return model

    def _passes_epochs(self, fit: Callable[..., Any]) -> bool:
        """Whether the number of epochs is passed to a `fit` that the user overrides.

        If the search planned none, or was given none, `fit` may set them itself.
        """
        asked = inspect.signature(fit).parameters.get("epochs")
        required = asked is not None and asked.default is inspect.Parameter.empty
        planned = int(self._history.settings.get("epochs", 0)) != 1
        return required or (planned and takes(fit, "epochs"))

    def _trial(self) -> Trial:
        trial = self._history.best
        if trial is None:
            raise NoResult(
                f"No trial has a finite {self._history.objective.name}, so there is no best model. "
                "results.failures() lists why trials failed."
            )
        return trial
