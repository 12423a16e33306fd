"""`CompiledLoop`: trains whole epochs in one graph call."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, final

import keras
import numpy as np

from kerashpo.core.errors import InvalidInput
from kerashpo.training.arrays import Arrays, are_arrays, as_arrays
from kerashpo.training.build import build_all
from kerashpo.training.data import FitData
from kerashpo.training.loops.base import TrainingLoop, stops_on_nan
from kerashpo.training.loops.compiled.engine import (
    CompiledSession,
    Engine,
    Logs,
    PopulationSession,
)
from kerashpo.training.loops.compiled.programs import ProgramCache
from kerashpo.training.loops.compiled.signature import keras_settings
from kerashpo.training.python_values import as_traced, forget_trace, is_traced, values_key
from kerashpo.training.randomness import EpochKeys, epoch_order, set_layer_seeds
from kerashpo.training.trained_layers import Flags, TrainedLayers

#: Attribute of a model whose training was paused: its closed session.
_PAUSED = "_kerashpo_paused"
#: Attributes of a compiled model that `compile` and `make_train_function` make anew.
_PARTS = ("optimizer", "_compile_loss", "_compile_metrics", "train_function", "test_function")


@final
class CompiledLoop(TrainingLoop):
    """Training loop that runs each epoch as one graph call; one object per study.

    It caches the study's traces. Logs, metrics, callbacks and the order of batches are those of
    `FitLoop`. It is for models, data and callbacks that `choose` allows: nothing may need Python
    within an epoch.

    Args:
        traces: the number of shared traces to cache; the least recently used is dropped first.
    """

    def __init__(self, traces: int = 64) -> None:
        self._traces = traces
        self._made: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The backend's engine, which caches traces and data on the device; created lazily."""
        if self._made is None:
            self._made = _engine(self._traces)
        return self._made

    def train(
        self,
        model: keras.Model,
        data: FitData,
        first: int,
        last: int,
        callbacks: list[keras.callbacks.Callback],
        keys: EpochKeys,
    ) -> None:
        """See `TrainingLoop.train`."""
        build_all(model, data)
        listeners = _listeners(model, data, last, callbacks)
        guards = [c for c in callbacks if stops_on_nan(getattr(c, "wrapped", c))]
        model.stop_training = False
        with _Sessions(self.engine, model, data, first) as sessions:
            listeners.on_train_begin()
            logs: Logs | None = None
            for epoch in range(first, last + 1):
                sessions.epoch = epoch
                set_layer_seeds(model, keys, epoch, sessions.current().set_seed)
                listeners.on_epoch_begin(epoch - 1)
                session = sessions.for_training()
                order = None
                if data.trains_on_arrays:
                    order = epoch_order(data, epoch, keys, model.steps_per_execution)
                with sessions.trained.in_effect():
                    with as_traced(model, "train"):
                        if guards and order is not None:
                            logs = _guarded(session, order, guards)
                        else:
                            logs = session.train_epoch(order)
                    if data.validates(epoch):
                        logs |= _validate(model, sessions, listeners)
                listeners.on_epoch_end(epoch - 1, logs)
                if model.stop_training:
                    break
            listeners.on_train_end(logs)

    def close(self) -> None:
        """See `TrainingLoop.close`."""
        if self._made is not None:
            self._made.close()

    def population_key(self, model: keras.Model, data: FitData) -> Hashable | None:
        """Returns a key of models that can be trained as one program, None for none."""
        if data.steps_per_epoch or data.extra.get("verbose", 0):
            return None  # epochs of different lengths; a progress bar for each model
        build_all(model, data)
        return self.engine.population_key(model, data)

    def open_population(
        self,
        models: Sequence[keras.Model],
        size: int,
        data: FitData,
        cache: ProgramCache | None = None,
    ) -> PopulationSession:
        """See `Engine.open_population`."""
        return self.engine.open_population(models, size, data, cache)

    def evaluate(
        self,
        model: keras.Model,
        x: Arrays,
        y: Arrays = None,
        sample_weight: Arrays = None,
        batch_size: int = 32,
    ) -> Logs:
        """Returns loss and metrics, as ``model.evaluate(..., return_dict=True)`` does.

        Raises:
            InvalidInput: if the data are not arrays of one length.
        """
        data = _arrays(x, y, sample_weight)
        build_all(model, data)
        return self.engine.evaluate(model, data.weighted(), batch_size)

    def predict(self, model: keras.Model, x: Arrays, batch_size: int = 1024) -> Any:
        """Returns predictions as `model.predict` does: numpy, nested as the model's outputs."""
        return self.engine.predict(model, _arrays(x, None, None).x, batch_size)


@final
@dataclass(frozen=True, slots=True, eq=False)
class _Closed:
    """The session of a model whose training was paused, and what it was opened for.

    Attributes:
        session: the closed session.
        data: the training data.
        parts: the model's optimizer, loss, metrics and train function.
        values: what a trace depends on besides: flags, plain values and settings.
    """

    session: CompiledSession
    data: FitData
    parts: tuple[Any, ...]
    values: Hashable

    def fits(self, data: FitData, parts: tuple[Any, ...], values: Hashable) -> bool:
        """Whether a session that is opened now would be the same."""
        same = len(parts) == len(self.parts) and all(a is b for a, b in zip(parts, self.parts))
        return same and data is self.data and values == self.values


@final
class _Sessions:
    """The session of one training; another one after a callback compiled the model again.

    As in `fit`, that is so too after ``make_train_function(force=True)``, which reads anew which
    layers are trained and what the code of losses and layers refers to. A training that goes on
    after a pause opens the session in which it was paused again.

    Attributes:
        epoch: the epoch that is trained, from 1.
    """

    def __init__(self, engine: Engine, model: keras.Model, data: FitData, epoch: int) -> None:
        self._engine, self._model, self._data = engine, model, data
        self._open: CompiledSession | None = None
        self._flags: Flags = ()
        self._values: Hashable = None
        self.epoch = epoch
        self.trained = TrainedLayers(model)

    def current(self) -> CompiledSession:
        """Returns the open session."""
        if self._open is None:
            self._values = values_key(self._model, "train")
            with self.trained.in_effect(), as_traced(self._model, "train", records=False):
                self._flags = self.trained.now()
                self._open = self._paused() or self._engine.open(self._model, self._data)
            self._open.skip(self.epoch - 1)
        return self._open

    def pause(self) -> None:
        """Closes the open session at the end of a training, which may go on later."""
        session, flags = self._open, self.trained.now()
        self.close()
        if session is not None and flags == self._flags:
            closed = _Closed(session, self._data, *self._opened_for())
            vars(self._model)[_PAUSED] = closed

    def _paused(self) -> CompiledSession | None:
        """Returns the session in which this training was paused, opened again; None for none."""
        closed = vars(self._model).pop(_PAUSED, None)
        if closed is None or not closed.fits(self._data, *self._opened_for()):
            return None
        return closed.session if closed.session.reopen() else None

    def _opened_for(self) -> tuple[tuple[Any, ...], Hashable]:
        """Returns the model's parts, and all else that a session depends on."""
        model = self._model
        parts = (self._engine, *(getattr(model, name, None) for name in _PARTS))
        settings = (model.steps_per_execution, model.jit_compile, keras_settings())
        return parts, (self._flags, self._values, settings)

    def for_training(self) -> CompiledSession:
        """Returns the session for the model as it is compiled now, just before an epoch."""
        again = self.trained.note()
        with self.trained.in_effect():
            outdated = again or self.trained.now() != self._flags
        self._drop_outdated_values()
        if outdated:
            self.close()
        if again:
            self._engine.forget(self._model)
            forget_trace(self._model)
            build_all(self._model, self._data)
        return self.current()

    def for_testing(self) -> CompiledSession:
        """Returns the session for a validation, just before it."""
        if not is_traced(self._model):
            self._drop_outdated_values()
        return self.current()

    def _drop_outdated_values(self) -> None:
        """Closes the session if a callback has changed what its steps read."""
        if self._open is not None and values_key(self._model, "train") != self._values:
            self._engine.forget(self._model)
            self.close()

    def close(self) -> None:
        """Closes the open session."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def __enter__(self) -> _Sessions:
        self.current()
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()


def _engine(traces: int) -> Engine:
    backend = keras.backend.backend()
    if backend == "tensorflow":
        from kerashpo.training.loops.compiled.tensorflow import TensorFlowEngine

        return TensorFlowEngine(traces)
    if backend == "jax":
        from kerashpo.training.loops.compiled.jax import JaxEngine

        return JaxEngine(traces)
    raise InvalidInput(
        "Compiled epochs expect Keras's backend to be tensorflow or jax. "
        f"Received: {backend}. Use fast=False."
    )


def _listeners(
    model: keras.Model, data: FitData, last: int, callbacks: list[keras.callbacks.Callback]
) -> keras.callbacks.CallbackList:
    verbose = data.extra.get("verbose", 0)
    return keras.callbacks.CallbackList(
        callbacks,
        add_history=True,
        add_progbar=verbose != 0,
        verbose=verbose,
        epochs=last,
        steps=data.steps if data.trains_on_arrays else data.steps_per_epoch or len(data.x),
        model=model,
    )


def _guarded(
    session: CompiledSession, order: np.ndarray, guards: list[keras.callbacks.Callback]
) -> Logs:
    """Trains an epoch that ends where the loss is not finite, and calls `TerminateOnNaN` then."""
    logs, batches = session.train_until_nan(order)
    if not np.isfinite(logs["loss"]):
        for guard in guards:
            guard.on_train_batch_end(batches - 1, logs)
    return logs


def _validate(
    model: keras.Model, sessions: _Sessions, listeners: keras.callbacks.CallbackList
) -> Logs:
    listeners.on_test_begin()
    with as_traced(model, "test"):
        logs = sessions.for_testing().test_epoch()
    listeners.on_test_end(logs)
    return {f"val_{name}": value for name, value in logs.items()}


def _arrays(x: Arrays, y: Arrays, sample_weight: Arrays) -> FitData:
    if not are_arrays(as_arrays((x, y, sample_weight))):
        raise InvalidInput(
            "Expected dense arrays. For a dataset or generator use model.evaluate or "
            f"model.predict. Received: x of type {type(x).__name__}."
        )
    return FitData.from_fit(x, y, sample_weight=sample_weight)
