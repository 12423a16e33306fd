"""The hooks of a tuner: methods that a subclass may override, as in KerasTuner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import keras

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Ended, Event, JobStarted
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.core.records import Start

if TYPE_CHECKING:
    from kerashpo.tuners.oracle_view import OracleView

EPOCH_HOOKS = ("on_epoch_begin", "on_epoch_end")
BATCH_HOOKS = ("on_batch_begin", "on_batch_end")
TRIAL_HOOKS = ("pre_create_trial", "on_trial_begin", "on_trial_end")
TRAINING_HOOKS = ("run_trial", *EPOCH_HOOKS, *BATCH_HOOKS)
"""Methods whose overrides are called while a trial trains, in this process."""


class Hooks:
    """Hooks that do nothing until a subclass overrides them, and `run_trial`.

    If none of them is overridden none is called, and the search is as fast as without hooks;
    batch hooks train with `model.fit`.
    """

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
        """Trains one trial; a subclass may change the arguments, or train with its own code.

        Args:
            trial: ``trial.hyperparameters`` has its values, and can define more parameters.
            *args: those of `search`.
            **kwargs: those of `search`.

        Returns:
            a float (the objective), a dict of metrics, a keras History, or a list of them, one
            a run. This method itself returns a list with a History of each run that it trained.
            Called again in the same trial it trains a further run, e.g. on another fold.
        """
        session = getattr(trial, "session", None)
        if session is None:
            raise InvalidInput(
                "run_trial trains a trial of a search: call tuner.search(...), which calls it."
            )
        return session.train(args, kwargs)

    def on_search_begin(self) -> None:
        """Called before the first trial."""

    def on_search_end(self) -> None:
        """Called when the search is over."""

    def pre_create_trial(self) -> None:
        """Called before `on_trial_begin`."""

    def on_trial_begin(self, trial: Any) -> None:
        """Called when a trial starts for the first time."""

    def on_trial_end(self, trial: Any) -> None:
        """Called when a trial has ended; ``trial.score`` is known then."""

    def on_epoch_begin(self, trial: Any, model: Any, epoch: int, logs: Any = None) -> None:
        """Called before each epoch, counted from 0 as in Keras."""

    def on_epoch_end(self, trial: Any, model: Any, epoch: int, logs: Any = None) -> None:
        """Called after each epoch, with its metrics."""

    def on_batch_begin(self, trial: Any, model: Any, batch: int, logs: Any = None) -> None:
        """Called before each training batch."""

    def on_batch_end(self, trial: Any, model: Any, batch: int, logs: Any = None) -> None:
        """Called after each training batch."""

    def _overrides(self, *names: str) -> bool:
        """Whether a subclass overrides one of these methods."""
        return any(getattr(type(self), name) is not getattr(Hooks, name) for name in names)


class EpochHooks(keras.callbacks.Callback):
    """Keras callback that calls a tuner's epoch hooks for one trial.

    Args:
        hooks: the tuner.
        trial: the trial that is passed to the hooks.
    """

    def __init__(self, hooks: Hooks, trial: Any) -> None:
        super().__init__()
        self._hooks, self._trial = hooks, trial

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._hooks.on_epoch_begin(self._trial, self.model, epoch, logs=logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._hooks.on_epoch_end(self._trial, self.model, epoch, logs=logs)


@final
class BatchHooks(EpochHooks):
    """Keras callback that calls a tuner's batch hooks too."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._hooks.on_batch_begin(self._trial, self.model, batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._hooks.on_batch_end(self._trial, self.model, batch, logs)


@final
class TrialHooks(Listener):
    """Listener that calls a tuner's trial hooks when trials start and end.

    Args:
        hooks: the tuner.
        oracle: returns the trials that are passed to the hooks.
    """

    def __init__(self, hooks: Hooks, oracle: OracleView) -> None:
        self._hooks, self._oracle = hooks, oracle

    def on_event(self, event: Event, snapshot: History) -> None:
        match event:
            case JobStarted(job=Start(trial=trial)):
                self._hooks.pre_create_trial()
                self._hooks.on_trial_begin(self._oracle.get_trial(trial))
            case Ended(trial=trial):
                self._hooks.on_trial_end(self._oracle.get_trial(trial))
