"""Start of a trial: builds its model, and restores its state from a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, final

import keras

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Configured, Noted, SpaceGrown
from kerashpo.core.records import FoldRuns
from kerashpo.executors.base import Emit
from kerashpo.executors.messages import WorkItem
from kerashpo.space.observed_ranges import wider
from kerashpo.space.params import Param
from kerashpo.space.space import Space
from kerashpo.store.base import Blobs
from kerashpo.store.trial_checkpoints import RunCheckpoints
from kerashpo.training.batch_spec import batch_spec
from kerashpo.training.build import build_all
from kerashpo.training.dataset_state import dataset_states
from kerashpo.training.folds import TrialData
from kerashpo.training.hparams import hparams_callbacks
from kerashpo.training.hypermodel import ModelBuilder
from kerashpo.training.hyperparameters import HyperParameters
from kerashpo.training.late_variables import late_variables
from kerashpo.training.live_values import set_values
from kerashpo.training.loops.user_fit import WHERE as OWN_FIT
from kerashpo.training.loops.user_fit import overrides_fit
from kerashpo.training.python_values import PythonValues
from kerashpo.training.randomness import seeded_build
from kerashpo.training.restore import UnusableCheckpoint, starts_of
from kerashpo.training.settings import Settings
from kerashpo.training.symbolic_build import symbolic_build
from kerashpo.training.trial_history import with_history
from kerashpo.training.trial_memory import TrialMemory
from kerashpo.training.trial_state import TrialState
from kerashpo.training.user_callbacks import OncePerTrial, fresh_callbacks, give_place


@final
@dataclass(slots=True)
class TrialStart:
    """Builds the models of trials and restores their states.

    Attributes:
        builder: builds models.
        space: the search space known so far; it grows by the parameters that models declare.
        settings: training settings of the search.
        blobs: checkpoint storage.
        data_of: returns the data and callbacks of a trial.
        memory: models of ended trials, of which copies of others make use.
    """

    builder: ModelBuilder
    space: Space
    settings: Settings
    blobs: Blobs
    data_of: Callable[[int], TrialData]
    memory: TrialMemory
    _copies: bool = field(default=False, init=False)
    _declared: Any = field(default=None, init=False)

    def parameters(self, task: WorkItem) -> HyperParameters:
        """Returns a trial's hyperparameters for the user's own code; see `report_new_values`."""
        return self.builder.parameters(task.config, self.space, self.settings.seed, task.trial)

    def report_new_values(self, trial: int, hp: HyperParameters, emit: Emit) -> None:
        """Reports values, parameters and ranges of the user's code that the trial did not have."""
        if hp is None or not (hp.changed or hp.unreported):
            return
        hp.unreported = False
        declared = self._observed(hp)
        if not (hp.changed or declared):
            return
        if new := self._grow([*hp.appeared.values(), *map(Param.from_json, declared)]):
            emit(SpaceGrown(trial, new))
        emit(Configured(trial, dict(hp.changed), declared))
        hp.changed.clear()
        hp.appeared.clear()

    def restore(self, task: WorkItem, run: int, emit: Emit) -> TrialState:
        """Builds the trial's model and restores the trial's state."""
        for start in starts_of(task, self.store(task, run)):
            try:
                self._copies |= start.origin is not None
                state = self._build(task, run, emit, start.stream(), start.origin is not None)
                start.load(state)
                return state
            except UnusableCheckpoint as error:
                text = f"{error}; trained again from an earlier one or from the start"
                emit(Noted(task.trial, {"checkpoint": text}))
        raise AssertionError("the last start state loads, or raises")

    def restart(self, state: TrialState, task: WorkItem, run: int, emit: Emit) -> TrialState:
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
        return fresh

    def end(self, state: TrialState) -> None:
        """Ends a trial's training; keeps its model if copies of other trials can make use of it."""
        state.finish()
        compiled = state.facts.get("training") in ("compiled", "population")
        if self._copies and compiled and not state.callbacks and self.builder.is_independent:
            self.memory.keep_model(state)
        self.builder.touch()

    def store(self, task: WorkItem, run: int) -> RunCheckpoints:
        # The folds of a final round start from epoch 1, not from the state of a fork's parent.
        fold = isinstance(task.job, FoldRuns) and run >= self.settings.runs
        return RunCheckpoints(self.blobs, task.trial, run, None if fold else task.origin)

    def _build(
        self, task: WorkItem, run: int, emit: Emit, stream: int, copied: bool = False
    ) -> TrialState:
        trial, seed, trial_data = task.trial, self.settings.seed, self.data_of(task.trial)
        made = self._set_on_ended(task, run, stream) if copied else None
        late = self.settings.fast is not False and self.builder.is_independent
        with late_variables(late):
            model, hp = made or self.builder.make(task.config, self.space, seed, stream, run)
            self.report_new_values(trial, hp, emit)
            data = trial_data.data.of(run, task.config, trial)
            with seeded_build(seed, stream, run, "variables"), self.builder.scope():
                build_all(model, data)
        callbacks = fresh_callbacks(
            trial_data.callbacks, trial_data.limit(task.config) or self.settings.max_epochs
        )
        for callback in callbacks:
            give_place(callback.wrapped, trial, run)
        values = hp.values if hp is not None else task.config
        written = hparams_callbacks([one.wrapped for one in callbacks], values, trial)
        callbacks += [OncePerTrial(one) for one in written]
        own_fit = overrides_fit(self.builder.hypermodel)
        callbacks = [*with_history(callbacks, own_fit), *dataset_states(data)]
        PythonValues.attach(model)
        return TrialState(
            model,
            callbacks,
            hp=hp,
            stream=stream,
            spec=batch_spec(data),
            built_with=self.builder.readable(),
            validated=self.settings.objective.name.startswith("val_"),
        )

    def _set_on_ended(
        self, task: WorkItem, run: int, stream: int
    ) -> tuple[keras.Model, HyperParameters] | None:
        """Returns an ended trial's model with the values of a copy; None if it must be built."""
        if not self.memory.has_models:
            return None
        try:
            with symbolic_build():
                made, hp = self.builder.make(
                    task.config, self.space, self.settings.seed, stream, run
                )
        except Exception:  # build_model may need the values of variables, or have raised an error
            return None
        ended = self.memory.take_model(lambda state: _set_on(state, made))
        return None if ended is None else (ended.model, hp)

    def _observed(self, hp: HyperParameters) -> tuple[dict[str, Any], ...]:
        """Returns the definitions if only trials can show some of them; see `Configured`.

        Empty if they were reported last, too.
        """
        if all(self.builder.finds(param.name) for param in hp.declared):
            return ()
        declared = tuple(param.to_json() for param in hp.declared)
        if self._declared == (found := (declared, dict(hp.values))):
            return ()
        self._declared = found
        return declared

    def _grow(self, params: list[Param]) -> tuple[dict[str, Any], ...]:
        new = wider(self.space.to_json(), [param.to_json() for param in params])
        if new:
            by_name = {param["name"]: Param.from_json(param) for param in new}
            known = [by_name.pop(param.name, param) for param in self.space.params]
            self.space = Space.of([*known, *by_name.values()])
        return tuple(new)


def _set_on(state: TrialState, wanted: keras.Model) -> bool:
    """Sets values on the model of an ended trial as if it was just built; see `set_values`."""
    state.reset_optimizer()
    return set_values(state.model, wanted)
