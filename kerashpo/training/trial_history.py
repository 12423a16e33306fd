"""`model.history` over a whole trial: a training that is resumed goes on with its earlier epochs.

Each call of `fit` makes a new `History`, so a callback that reads ``self.model.history.history``
would find nothing of what a promoted trial was trained before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import keras

from kerashpo.training.user_callbacks import OncePerTrial


def with_history(callbacks: list[OncePerTrial], own_fit: bool = False) -> list[OncePerTrial]:
    """Returns a trial's callbacks and, where code of the user's may read it, a `History` as last.

    Args:
        callbacks: the trial's.
        own_fit: whether a `fit` of the user's trains it.
    """
    if not callbacks and not own_fit:
        return callbacks
    history = keras.callbacks.History()
    history.epoch = []  # a loop of the user's own may not call `on_train_begin`
    return [*callbacks, OncePerTrial(history)]


def continued_history(callbacks: Sequence[Any]) -> list[keras.callbacks.Callback]:
    """Returns the callback that makes the `History` of a trial's callbacks `model.history`."""
    return [ContinuedHistory(kept) for kept in _kept(callbacks)]


def with_earlier_epochs(
    fit: Callable[..., Any], callbacks: Sequence[Any], first: int
) -> Callable[..., Any]:
    """Returns `model.fit` for a `fit` of the user's that goes on with a trial.

    A call that begins at the trial's next epoch makes and returns the `History` of all epochs.

    Args:
        fit: the model's.
        callbacks: the trial's.
        first: the trial's next epoch, from 1.
    """
    if first == 1 or not (kept := _kept(callbacks)):
        return fit
    (earlier,) = kept
    if earlier.epoch != list(range(first - 1)):
        return fit  # its callbacks were not passed on

    def continued(*args: Any, **kwargs: Any) -> Any:
        passed = kwargs.get("callbacks")
        if kwargs.get("initial_epoch") == first - 1 and isinstance(passed, list):
            kwargs["callbacks"] = [*passed, ResumedHistory(earlier)]
        return fit(*args, **kwargs)

    return continued


def _kept(callbacks: Sequence[Any]) -> list[keras.callbacks.History]:
    """Returns the `History` of the whole trial, if there is one."""
    wrapped = [getattr(one, "wrapped", None) for one in callbacks]
    return [one for one in wrapped if type(one) is keras.callbacks.History][-1:]


@final
class ContinuedHistory(keras.callbacks.History):
    """Stands in for the `History` that `fit` would make: `model.history` is another one.

    Args:
        kept: the trial's history, which is called itself.
    """

    def __init__(self, kept: keras.callbacks.History) -> None:
        super().__init__()
        self._kept = kept

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        model.history = self._kept

    def on_train_begin(self, logs: Any = None) -> None:
        """Does nothing."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Does nothing."""


@final
class ResumedHistory(keras.callbacks.History):
    """`History` of one call of `fit` that begins with the epochs of an earlier one.

    Args:
        earlier: the history of the earlier epochs; it is not changed.
    """

    def __init__(self, earlier: keras.callbacks.History) -> None:
        super().__init__()
        self._epochs = list(earlier.epoch)
        self._logs = {name: list(values) for name, values in earlier.history.items()}

    def on_train_begin(self, logs: Any = None) -> None:
        self.epoch = list(self._epochs)
        self.history = {name: list(values) for name, values in self._logs.items()}
