"""`model.history` over a whole trial: a training that is resumed goes on with its earlier epochs.

Each call of `fit` makes a new `History`, so a callback that reads ``self.model.history.history``
would find nothing of what a promoted trial was trained before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import keras

from kerashpo.training.user_callbacks import OncePerTrial


def with_history(callbacks: list[OncePerTrial]) -> list[OncePerTrial]:
    """Returns a trial's callbacks and, where there are some, a `History` as the last of them."""
    return [*callbacks, OncePerTrial(keras.callbacks.History())] if callbacks else callbacks


def continued_history(callbacks: Sequence[OncePerTrial]) -> list[keras.callbacks.Callback]:
    """Returns the callback that makes the `History` of a trial's callbacks `model.history`."""
    kept = [one.wrapped for one in callbacks if type(one.wrapped) is keras.callbacks.History]
    return [ContinuedHistory(kept[-1])] if kept else []


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
