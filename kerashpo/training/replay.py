"""Replays a schedule: hyperparameters change at the epochs at which they changed in a search.

Values are set on an existing model without compiling it again; they are copied from a model built
with the new values. Copied are numbers of the optimizer, numbers and regularisers of layers, and
the loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import keras

from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import Config

_NUMBERS = (int, float, bool, type(None))


@final
class ReplaySchedule(keras.callbacks.Callback):
    """Callback that sets the values of a schedule at the beginning of epochs.

    The model must have the schedule's shapes, as ``tuner.hypermodel.build(hp)`` makes it with the
    best hyperparameters. Epochs count as in `fit`, so a training may be continued with
    ``initial_epoch``.

    Args:
        stages: the first epoch of each stage, counted from 1 and increasing, and its values.
        build: builds a model with given values.
    """

    def __init__(
        self,
        stages: Sequence[tuple[int, Config]],
        build: Callable[[Config], keras.Model],
    ) -> None:
        super().__init__()
        self.stages = tuple(stages)
        self._build = build
        self._present: Config | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._present = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        config = next(values for first, values in self.stages[::-1] if first <= epoch + 1)
        if config != self._present:
            copy_values(self._build(config), self.model)
            self._present = config


def copy_values(source: keras.Model, target: keras.Model) -> None:
    """Copies the hyperparameter values of a model to another one; weights and state are kept.

    Raises:
        InvalidInput: if the models have other layers or optimizers.
    """
    layers = list(zip(target._flatten_layers(), source._flatten_layers()))
    alike = [type(mine) is type(theirs) for mine, theirs in layers]
    same = len(list(target._flatten_layers())) == len(list(source._flatten_layers()))
    if not (same and all(alike) and type(source.optimizer) is type(target.optimizer)):
        raise InvalidInput(
            "The schedule belongs to a model of other layers or another optimizer. Build the model "
            "with the best hyperparameters: tuner.hypermodel.build(hp) with hp = "
            "tuner.get_best_hyperparameters(1)[0]."
        )
    _copy_optimizer(source.optimizer, target.optimizer)
    for mine, theirs in layers[1:]:
        _copy_layer(theirs, mine)
    target.loss, target._compile_loss = source.loss, source._compile_loss
    for make in ("make_train_function", "make_test_function"):
        if hasattr(target, make):  # traced functions contain the old values
            getattr(target, make)(force=True)


def _copy_optimizer(source: Any, target: Any) -> None:
    for name in source.get_config():
        value = getattr(source, name, None)
        if name == "learning_rate":
            _copy_rate(source, target)
        elif isinstance(value, _NUMBERS) and name != "name" and hasattr(target, name):
            setattr(target, name, value)
    if (inner := getattr(source, "inner_optimizer", None)) is not None:
        _copy_optimizer(inner, target.inner_optimizer)


def _copy_rate(source: Any, target: Any) -> None:
    if isinstance(source._learning_rate, keras.optimizers.schedules.LearningRateSchedule):
        target._learning_rate = source._learning_rate
    else:
        target.learning_rate = source.learning_rate.numpy()


def _copy_layer(source: Any, target: Any) -> None:
    for name, value in source.get_config().items():
        now = getattr(target, name, None)
        if name.endswith("_regularizer"):
            setattr(target, name, getattr(source, name, None))
        elif isinstance(value, float) and isinstance(now, (int, float)) and now != value:
            setattr(target, name, value)
    if hasattr(source, "seed_generator") and not hasattr(target, "seed_generator"):
        # A dropout layer that was built with rate 0 has none.
        target._tracker.unlock()
        target.seed_generator = keras.random.SeedGenerator()
        target._tracker.lock()
    for mine, theirs in zip(target._trainable_variables, source._trainable_variables):
        mine.regularizer = theirs.regularizer
