"""Slots: the variables of a shared graph, which replace a model's own while it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from kerashpo.training.late_variables import hold, peek, renew_index, take
from kerashpo.training.loops.compiled.open_widths import convolutions_of, layers_of, recurrent_of
from kerashpo.training.loops.compiled.signature import (
    dropouts_of,
    penalties_of,
    pinned_of,
    trained_variables,
)

#: Functions that Keras traces for a model; a trace captures the variables at that time.
_TRACED = ("train_function", "test_function", "predict_function")


def variables_of(model: keras.Model) -> list[Any]:
    """Returns the Keras variables of model, optimizer and metrics, each once.

    The seeds of dropout layers are not among them: a layer of rate 0 has none, and still shares
    the graph of layers with a seed.
    """
    lifted = {id(layer.seed_generator.state) for layer in dropouts_of(model) if layer.rate > 0}
    found: dict[int, Any] = {}
    for variable in trained_variables(model):
        if id(variable) not in lifted:
            found.setdefault(id(variable), variable)
    return list(found.values())


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """The variables that a shared graph reads and writes.

    Attributes:
        variables: one for each of `variables_of`, of unknown shapes if widths are free.
        seeds: the random state of each dropout layer, int64, shape (2,).
        rates: the dropout rates, float32 scalars.
        scales: 1 / (1 - rate), float32 scalars.
        penalties: the factor of each L2 penalty, float32 scalars.
    """

    variables: tuple[tf.Variable, ...]
    seeds: tuple[tf.Variable, ...]
    rates: tuple[tf.Variable, ...]
    scales: tuple[tf.Variable, ...]
    penalties: tuple[tf.Variable, ...]

    @classmethod
    def like(cls, model: keras.Model, *, free: bool) -> Slots:
        """Makes slots for models of the same structure as `model`."""
        dropouts = dropouts_of(model)

        def scalars(count: int) -> tuple[tf.Variable, ...]:
            return tuple(tf.Variable(0.0, trainable=False) for _ in range(count))

        return cls(
            _slots(model, free),
            tuple(tf.Variable([0, 0], dtype=tf.int64, trainable=False) for _ in dropouts),
            scalars(len(dropouts)),
            scalars(len(dropouts)),
            scalars(len(penalties_of(model))),
        )


def _slots(model: keras.Model, free: bool) -> tuple[tf.Variable, ...]:
    pinned = pinned_of(model) if free else set()
    known = {
        id(variable)
        for layer in layers_of(model)
        if id(layer) in pinned
        for variable in layer.variables
    }

    kernels = {id(layer._kernel) for layer in convolutions_of(model)}
    biases = {id(layer.cell.bias) for layer in recurrent_of(model) if layer.cell.use_bias}

    def slot(variable: Any) -> tf.Variable:
        shape = list(variable.shape)
        if free:
            last = shape[-1:] if id(variable) in known else [None] * len(shape[-1:])
            # The size of a convolution's window sets the size of its result; a GRU's two biases
            # are split by their number.
            kept = shape[:-2] if id(variable) in kernels else []
            kept = shape[:-1] if id(variable) in biases else kept
            shape = kept + [None] * len(shape[len(kept) : -1]) + last
        return tf.Variable(
            peek(variable), shape=tf.TensorShape(shape), trainable=variable.trainable
        )

    return tuple(slot(variable) for variable in variables_of(model))


class SlotBinding:
    """Binds a model's Keras variables to the slots of a shared graph, until `end`.

    The Keras variables stay the same objects, so callbacks, the optimizer and `get_weights` see
    current values; only the `tf.Variable` that each wraps is replaced.

    Args:
        model: a built model with the signature of the slots.
        slots: the slots of a shared graph; one model at a time.
    """

    def __init__(self, model: keras.Model, slots: Slots) -> None:
        self._model = model
        #: Variable, its own `tf.Variable` (None if it is late), and its slot.
        self._bound: list[tuple[Any, tf.Variable | None, tf.Variable]] = []
        self._traced = {name: getattr(model, name, None) for name in _TRACED}
        for variable, slot in zip(variables_of(model), slots.variables, strict=True):
            self._bind(variable, slot)
        for layer, seed, rate, scale in zip(
            dropouts_of(model), slots.seeds, slots.rates, slots.scales, strict=True
        ):
            if layer.rate > 0:
                self._bind(layer.seed_generator.state, seed)
            rate.assign(layer.rate)
            # At rate 1 all units are dropped; a finite scale makes the gradient 0 instead of NaN.
            scale.assign(1.0 / (1.0 - layer.rate) if layer.rate < 1 else 0.0)
        for penalty, slot in zip(penalties_of(model), slots.penalties, strict=True):
            slot.assign(penalty.l2)
        self._forget_traces(dict.fromkeys(_TRACED))

    def end(self) -> None:
        """Copies the values to the model's own variables and restores those."""
        for variable, own, slot in self._bound:
            value = _read(slot)
            if own is None:
                hold(variable, value)
            else:
                _assign(own, value)
                variable._value = own
        self._bound.clear()
        self._forget_traces(self._traced)

    def _bind(self, variable: Any, slot: tf.Variable) -> None:
        value, own = take(variable), variable._value
        _assign(slot, _read(own) if value is None else value)
        self._bound.append((variable, own, slot))
        variable._value = slot

    def _forget_traces(self, functions: dict[str, Any]) -> None:
        """Replaces the model's traced functions, since they captured the other variables."""
        for name, function in functions.items():
            setattr(self._model, name, function)
        renew_index(self._model.optimizer)


def _read(variable: tf.Variable) -> tf.Tensor:
    return tf.raw_ops.ReadVariableOp(resource=variable.handle, dtype=variable.dtype)


def _assign(variable: tf.Variable, value: tf.Tensor) -> None:
    """Assigns without the shape checks of `tf.Variable.assign`, which take longer than the copy."""
    tf.raw_ops.AssignVariableOp(resource=variable.handle, value=value, validate_shape=False)
