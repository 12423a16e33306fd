"""Lifts constants out of a graph: dropout rates and L2 factors become variables of the trace."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from kerashpo.training.loops.compiled.open_widths import convolutions_of, recurrent_of
from kerashpo.training.loops.compiled.signature import (
    dropouts_of,
    penalties_of,
    pinned_of,
)
from kerashpo.training.loops.compiled.tensorflow.slots import Slots

_SEED_BOUND = tf.int32.max - 1
#: TensorFlow's code of the algorithm that `tf.random.stateless_uniform` uses on CPUs and GPUs.
_PHILOX = 1


@contextlib.contextmanager
def lifted(model: keras.Model, slots: Slots, *, free: bool) -> Iterator[None]:
    """Context of a trace in which dropout rates and L2 factors are read from slots.

    Args:
        model: the model that is traced.
        slots: the slots of the trace.
        free: whether widths are left open.
    """
    penalties = penalties_of(model)
    before = [penalty.l2 for penalty in penalties]
    layers = dropouts_of(model)
    convolutions = convolutions_of(model) if free else []
    pinned = pinned_of(model) if free else set()
    cells = [layer.cell for layer in recurrent_of(model) if free and id(layer) not in pinned]
    try:
        for penalty, slot in zip(penalties, slots.penalties, strict=True):
            penalty.l2 = slot
        for parts in zip(layers, slots.seeds, slots.rates, slots.scales, strict=True):
            vars(parts[0])["call"] = _dropout(*parts[1:])
        for layer in convolutions:
            vars(layer)["call"] = _convolution(layer)
        for cell in cells:
            vars(cell)["get_initial_state"] = _zeros(cell)
            if isinstance(cell, keras.layers.GRUCell):
                vars(cell)["call"] = _gru_step(cell)
        yield
    finally:
        for penalty, factor in zip(penalties, before, strict=True):
            penalty.l2 = factor
        for layer in (*layers, *convolutions, *cells):
            vars(layer).pop("call", None)
        for cell in cells:
            vars(cell).pop("get_initial_state", None)


def _dropout(seed: Any, rate: Any, scale: Any) -> Callable[..., Any]:
    """Returns a `keras.layers.Dropout.call` whose seed, rate and scale are variables.

    It applies the operations of `tf.nn.experimental.stateless_dropout` to the seed as Keras
    derives it, so the masks are those that `fit` would draw.
    """

    def call(inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        state = seed.read_value()
        seed.assign(tf.add(state, [0, 1]))
        key = tf.cast(tf.math.floormod(state, _SEED_BOUND), tf.int32)
        kept = _uniform(tf.shape(inputs), key, inputs.dtype) >= tf.cast(rate, inputs.dtype)
        factor, nothing = tf.cast(scale, inputs.dtype), tf.zeros([], inputs.dtype)

        # Without a custom gradient, TensorFlow would reduce over the broadcast scalar.
        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def masked(values: Any) -> Any:
            def gradient(upstream: Any) -> Any:
                return tf.where(kept, upstream * factor, nothing)

            return tf.where(kept, values * factor, nothing), gradient

        return masked(inputs)

    return call


def _convolution(layer: Any) -> Callable[[Any], Any]:
    """Returns the `call` of a convolution of an open width, which Keras's reads as a number."""

    def call(inputs: Any) -> Any:
        padding, strides = layer.padding.upper(), list(layer.strides)
        outputs = tf.nn.convolution(inputs, layer.kernel, strides, padding)
        if layer.use_bias:
            outputs = tf.add(outputs, layer.bias)
        return outputs if layer.activation is None else layer.activation(outputs)

    return call


def _zeros(cell: Any) -> Callable[..., Any]:
    """Returns the `get_initial_state` of a recurrent cell of an open width, which is a number."""
    count = 2 if isinstance(cell, keras.layers.LSTMCell) else 1

    def get_initial_state(batch_size: Any = None) -> list[Any]:
        width = tf.shape(cell.recurrent_kernel)[0]
        return [tf.zeros((batch_size, width), cell.compute_dtype) for _ in range(count)]

    return get_initial_state


def _gru_step(cell: Any) -> Callable[..., Any]:
    """Returns the `call` of a GRU's cell of an open width, by which Keras's slices its products."""

    def call(inputs: Any, states: Any, training: bool = False) -> Any:
        state = states[0] if keras.tree.is_nested(states) else states
        given, kept = tf.matmul(inputs, cell.kernel), tf.matmul(state, cell.recurrent_kernel)
        if cell.use_bias:
            input_bias, recurrent_bias = tf.unstack(cell.bias, num=2)
            given, kept = given + input_bias, kept + recurrent_bias
        x_z, x_r, x_h = tf.split(given, 3, axis=-1)
        h_z, h_r, h_h = tf.split(kept, 3, axis=-1)
        z, r = cell.recurrent_activation(x_z + h_z), cell.recurrent_activation(x_r + h_r)
        new = z * state + (1 - z) * cell.activation(x_h + r * h_h)
        return new, [new] if keras.tree.is_nested(states) else new

    return call


def _uniform(shape: Any, seed: Any, dtype: Any) -> Any:
    """Returns `tf.random.stateless_uniform` over [0, 1), without its scaling by 1 and shift by 0.

    Args:
        shape: int32, shape (rank,).
        seed: int32, shape (2,).
        dtype: a floating-point type.
    """
    parts = tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed)
    return tf.raw_ops.StatelessRandomUniformV2(
        shape=shape, key=parts.key, counter=parts.counter, alg=_PHILOX, dtype=dtype
    )


@contextlib.contextmanager
def fused(optimizer: Any) -> Iterator[None]:
    """Context in which Adam updates a variable with TensorFlow's fused kernel, not a dozen ops.

    The kernel computes Keras's formula (Kingma & Ba 2014, the form before section 2.1). For
    sparse gradients, other precisions and other optimizers Keras's own step is used.
    """
    if not _has_keras_adam_step(optimizer):
        yield
        return
    stock = optimizer.update_step
    powers: dict[Any, tuple[Any, Any]] = {}

    def update_step(gradient: Any, variable: Any, learning_rate: Any) -> None:
        if isinstance(gradient, tf.IndexedSlices) or variable.dtype != tf.float32:
            stock(gradient, variable, learning_rate)
            return
        index = optimizer._get_variable_index(variable)
        graph = tf.compat.v1.get_default_graph()
        if graph not in powers:
            # Equal for every variable of a step: computed once per graph (a loop has its own).
            step = tf.cast(optimizer.iterations + 1, tf.float32)
            powers[graph] = tf.pow(optimizer.beta_1, step), tf.pow(optimizer.beta_2, step)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=optimizer._momentums[index].value.handle,
            v=optimizer._velocities[index].value.handle,
            beta1_power=powers[graph][0],
            beta2_power=powers[graph][1],
            lr=tf.cast(learning_rate, tf.float32),
            beta1=optimizer.beta_1,
            beta2=optimizer.beta_2,
            epsilon=optimizer.epsilon,
            grad=gradient,
        )

    vars(optimizer)["update_step"] = update_step
    try:
        yield
    finally:
        vars(optimizer).pop("update_step", None)


def _has_keras_adam_step(optimizer: Any) -> bool:
    return (
        isinstance(optimizer, keras.optimizers.Adam)
        and type(optimizer).update_step is keras.optimizers.Adam.update_step
        and "update_step" not in vars(optimizer)
        and not optimizer.amsgrad
    )
