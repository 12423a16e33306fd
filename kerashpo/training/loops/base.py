"""Training loops: the interface, and the choice of the fastest exact one."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import keras

from kerashpo.core.errors import InvalidInput
from kerashpo.training.arrays import are_numbers
from kerashpo.training.data import FitData
from kerashpo.training.randomness import EpochKeys

Kind = Literal["compiled", "plain"]

_BATCH_HOOKS = tuple(
    name for name in dir(keras.callbacks.Callback) if name.startswith("on_") and "_batch_" in name
)
#: Methods whose override gives a model its own training loop, not only its own `train_step`.
_LOOPS = ("fit", "make_train_function", "make_test_function", "evaluate", "reset_metrics")
#: Layers that Keras does not compile on any backend, but that JAX traces with equal values.
_TRACED_BY_JAX = frozenset({"RandomRotation", "RandomTranslation"})


class TrainingLoop(ABC):
    """Interface of a training loop: trains one model for some epochs."""

    @abstractmethod
    def train(
        self,
        model: keras.Model,
        data: FitData,
        first: int,
        last: int,
        callbacks: list[keras.callbacks.Callback],
        keys: EpochKeys,
    ) -> None:
        """Trains epochs first..last, counted from 1, both included.

        Callbacks are called as in ``model.fit(initial_epoch=first - 1, epochs=last)``:
        ``on_train_begin``, ``on_epoch_begin(epoch0)``, ``on_epoch_end(epoch0, logs)`` and
        ``on_train_end``. They see the current weights and learning rate, and
        ``model.stop_training`` ends the training. See `finish` for the end of a trial.

        Args:
            model: a compiled model; it keeps its variables across calls.
            data: the training data.
            first: the first epoch, from 1.
            last: the last epoch.
            callbacks: in the order in which they are called.
            keys: the randomness of this run.
        """

    def close(self) -> None:
        """Releases what the backend has cached; a later call of `train` prepares it again."""
        return


def finish(model: keras.Model) -> None:
    """Finishes training as `fit` does: the optimizer assigns its averaged weights to the model.

    Training loops do not call it, because only the caller knows that a trial is over: a promoted
    trial continues with its current weights.
    """
    optimizer = getattr(model, "optimizer", None)
    if isinstance(optimizer, keras.optimizers.Optimizer) and optimizer.built:
        optimizer.finalize_variable_values(model.trainable_weights)


@contextlib.contextmanager
def unfinished(model: keras.Model) -> Iterator[None]:
    """Context in which `fit` does not assign averaged weights at its end (see `finish`)."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        yield
        return
    vars(optimizer)["finalize_variable_values"] = lambda variables: None
    try:
        yield
    finally:
        vars(optimizer).pop("finalize_variable_values", None)


def choose(
    fast: bool | Literal["auto"],
    model: keras.Model,
    data: FitData,
    callbacks: Sequence[keras.callbacks.Callback],
) -> tuple[Kind, str]:
    """Returns the kind of training loop for a model, data and callbacks, and the reason.

    Args:
        fast: ``"auto"`` compiles epochs where that is exact; True requires it; False never does.

    Raises:
        InvalidInput: if `fast` is True and epochs cannot be compiled.
    """
    if fast not in ("auto", True, False):
        raise InvalidInput(f'fast must be "auto", True or False. Received: {fast!r}.')
    if fast is False:
        return "plain", "fast=False"
    obstacle = find_obstacle(model, data, callbacks)
    if obstacle is None:
        kind = "arrays" if data.is_arrays else "a tf.data pipeline"
        return "compiled", f"{kind}, and nothing that fit must call at each batch"
    if fast is True:
        raise InvalidInput(
            f'fast=True expects epochs that can be compiled, but {obstacle}. Use fast="auto" '
            "to train this model with model.fit."
        )
    return "plain", obstacle


def find_obstacle(
    model: keras.Model, data: FitData, callbacks: Sequence[keras.callbacks.Callback]
) -> str | None:
    """Returns why whole epochs cannot be compiled exactly, or None."""
    obstacle = _data_obstacle(data) or find_model_obstacle(model) or _stream_obstacle(model, data)
    return obstacle or _callback_obstacle(model, data, callbacks)


def _data_obstacle(data: FitData) -> str | None:
    for part, steps in _pipelines(data):
        if not _is_dataset(part):
            return "the data are not dense arrays"
        if (batches := int(part.cardinality())) < -1 or (batches == -1 and not steps):
            return "the tf.data pipeline does not know its number of batches"
    if not data.is_arrays:
        return None
    everything = (data.x, data.y, data.sample_weight, data.validation)
    if keras.backend.backend() != "tensorflow" and not are_numbers(everything):
        return "the data hold strings, which only TensorFlow has as tensors"
    return None


def _pipelines(data: FitData) -> list[tuple[Any, int | None]]:
    """Returns the training and validation data that are no arrays, with the steps given."""
    found = [] if data.trains_on_arrays else [(data.x, data.steps_per_epoch)]
    if data.validation is not None and not data.validates_on_arrays:
        found.append((data.validation, data.validation_steps))
    return found


def _is_dataset(value: Any) -> bool:
    """Whether a value is a `tf.data.Dataset` that a graph of this backend can read."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return isinstance(value, tf.data.Dataset)


def _stream_obstacle(model: keras.Model, data: FitData) -> str | None:
    if data.is_arrays:
        return None
    if model.steps_per_execution != 1:
        return "a tf.data pipeline is read several steps at a time"
    for step in ("train_step", "test_step"):
        if not logs_are_metrics(model, step):
            return f"the data are a tf.data pipeline, and the model has a {step} of its own"
    return None


def find_model_obstacle(model: keras.Model) -> str | None:
    """Returns why epochs of a model cannot be compiled, whatever the data; None if they can."""
    backend = keras.backend.backend()
    if backend not in ("tensorflow", "jax"):
        return f"the backend is {backend}"
    if not getattr(model, "compiled", False):
        return "the model is not compiled"
    if model.run_eagerly:
        return "the model runs eagerly"
    for name in _LOOPS:
        if not getattr(type(model), name).__module__.startswith("keras."):
            return f"the model overrides {name}"
    if keras.distribution.distribution() is not None or _distributed(model):
        return "a distribution strategy is active"
    untraced = _not_for_jit(model) if backend == "jax" else None
    return None if untraced is None else f"Keras does not compile {untraced} on JAX"


def _not_for_jit(model: keras.Model) -> str | None:
    """Returns the name of a layer without support of `jit`, which JAX may be unable to trace."""
    for layer in model._flatten_layers(include_self=False):
        kind = type(layer).__name__
        if not layer.supports_jit and kind not in _TRACED_BY_JAX:
            return kind
    return None


def _distributed(model: keras.Model) -> bool:
    """Whether the model was built under a strategy of `tf.distribute`, of one replica or many."""
    return getattr(model, "_distribute_strategy", None) is not None


def _callback_obstacle(
    model: keras.Model, data: FitData, callbacks: Sequence[keras.callbacks.Callback]
) -> str | None:
    for callback in callbacks:
        inner = getattr(callback, "wrapped", callback)
        if stops_on_nan(inner) and data.trains_on_arrays and _can_stop_on_nan(model):
            continue
        if is_batch_level(inner):
            return f"the callback {type(inner).__name__} listens to batches"
    return None


def stops_on_nan(callback: Any) -> bool:
    """Whether a callback is Keras's `TerminateOnNaN`, which a compiled epoch can apply itself."""
    return isinstance(callback, keras.callbacks.TerminateOnNaN) and not any(
        name in vars(callback) or getattr(type(callback), name) is not stock
        for name in _BATCH_HOOKS
        if (stock := getattr(keras.callbacks.TerminateOnNaN, name))
    )


def _can_stop_on_nan(model: keras.Model) -> bool:
    """Whether the loss metric after each step is the loss that a callback would be passed."""
    return logs_are_metrics(model, "train_step") and model.steps_per_execution == 1


def logs_are_metrics(model: keras.Model, step: str) -> bool:
    """Whether a step logs only Keras's own metrics, so that the logs can be read from them."""
    own = (step, "compute_metrics", "get_metrics_result")
    return all(
        getattr(type(model), part).__module__.startswith("keras.") and part not in vars(model)
        for part in own
    )


def is_batch_level(callback: Any) -> bool:
    """Whether a callback must be called at each batch, so that its epochs cannot be compiled.

    Some of Keras's own callbacks override batch methods, but in their default settings do nothing
    in them, or only show the progress within an epoch.
    """
    if hasattr(callback, "_should_save_on_batch"):  # ModelCheckpoint and its kin
        return callback.save_freq != "epoch"
    if isinstance(callback, keras.callbacks.TensorBoard):
        return callback.update_freq != "epoch" or bool(getattr(callback, "_should_trace", False))
    if type(callback) is keras.callbacks.ProgbarLogger:
        return False
    own = vars(callback)
    return any(
        name in own or getattr(type(callback), name, None) is not base
        for name, base in ((hook, getattr(keras.callbacks.Callback, hook)) for hook in _BATCH_HOOKS)
    )
