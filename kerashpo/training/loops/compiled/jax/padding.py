"""Layers made wider by units that do nothing, so that models of many widths have equal shapes.

A unit whose weights into and out of it are 0, and whose activation is then 0, gets no gradient
and changes no output: it stays so under every optimizer that treats elements one by one. Where
an activation is not 0 at 0 (sigmoid), a bias far below 0 makes it so.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import keras
import numpy as np
from keras.layers import InputSpec

from kerashpo.training.loops.compiled.signature import layers_of, nodes_of, pinned_of, structure_of

#: Widths are padded to multiples of this.
STEP = 512
#: What padding may add to an epoch, in floating-point operations: 50 such epochs cost what XLA
#: takes to compile another network.
_ADDED_PER_EPOCH = 2.5e9
#: Operations a parameter and step beside the products: the optimizer's, bound by memory.
_UPDATE = 100
_SUNK_BIAS = -1e4
_ZERO_AT_ZERO = frozenset(
    "linear relu relu6 tanh elu celu selu gelu silu hard_silu leaky_relu mish softsign hard_tanh "
    "tanh_shrink hard_shrink soft_shrink".split()
)
_ZERO_FAR_BELOW = frozenset("sigmoid hard_sigmoid softplus exponential".split())
_KEEP_ZEROS = frozenset("LeakyReLU ELU Identity BatchNormalization".split())


class _Refused(Exception):
    """This model cannot be padded."""


@dataclass(frozen=True, slots=True, eq=False)
class PaddedVariable:
    """One variable that is padded: its shape then, and what the new elements hold."""

    variable: Any
    shape: tuple[int, ...]
    fill: float = 0.0

    def pad(self) -> Any:
        """Returns the variable's value in the padded shape, on the device."""
        wide = np.full(self.shape, self.fill, dtype=self.variable.dtype)
        wide[self._corner()] = np.asarray(self.variable.value)
        return jnp.asarray(wide)

    def cut(self, value: Any) -> Any:
        """Returns the part of a padded value that is the variable's."""
        return jnp.asarray(np.asarray(value)[self._corner()])

    def _corner(self) -> tuple[slice, ...]:
        return tuple(slice(size) for size in self.variable.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Padding:
    """How one model is padded.

    Attributes:
        padded: id of a Keras variable -> how it grows; others stay as they are.
        inputs: the layers that insist on their input's width, and the padded one.
        shared: whether the model shares what is compiled for padded ones; one whose widths are
            multiples of `STEP` does although nothing grows.
    """

    padded: dict[int, PaddedVariable]
    inputs: tuple[tuple[keras.layers.Layer, int], ...]
    shared: bool

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Lets Keras take padded values for the model's, for the time of a trace."""
        specs = [(layer, layer.input_spec) for layer, _ in self.inputs]
        shapes = [(each.variable, each.variable._shape) for each in self.padded.values()]
        try:
            for layer, width in self.inputs:
                layer.input_spec = InputSpec(min_ndim=2, axes={-1: width})
            for each in self.padded.values():
                each.variable._shape = each.shape
            yield
        finally:
            for layer, spec in specs:
                layer.input_spec = spec
            for variable, shape in shapes:
                variable._shape = shape


NONE = Padding({}, (), shared=False)


def padding_of(model: keras.Model, steps: int, batch: int) -> Padding:
    """Returns how to pad a model, `NONE` where that is not exact or would cost too much.

    The answer depends on model and data alone, not on what was compiled before, so that a trial
    is trained the same way whenever it is taken up again.

    Args:
        model: built and compiled.
        steps: in an epoch.
        batch: samples a step.
    """
    if not structure_of(model).free:
        return NONE
    try:
        padding = _padded(model)
    except _Refused:
        return NONE
    added = sum(
        np.prod(padded.shape) - np.prod(padded.variable.shape)
        for variable in model.variables
        if (padded := padding.padded.get(id(variable))) is not None
    )
    # Six operations a weight and sample: two forward, four backward.
    return padding if added * steps * (6 * batch + _UPDATE) <= _ADDED_PER_EPOCH else NONE


def _padded(model: keras.Model) -> Padding:
    """Returns the padding of a model whose layers form chains.

    Raises:
        _Refused: if units that do nothing would do something.
    """
    pinned, nodes = pinned_of(model), nodes_of(model)
    decays = bool(getattr(model.optimizer, "weight_decay", None))
    padded: dict[int, PaddedVariable] = {}
    inputs: list[tuple[keras.layers.Layer, int]] = []
    widths: dict[int, int] = {}
    for layer in layers_of(model):
        _refuse_unless(id(layer) in nodes)
        node = nodes[id(layer)]
        if isinstance(layer, keras.layers.InputLayer):
            widths[id(layer)] = node.outputs[0].shape[-1] or 0
            continue
        # More axes would multiply the products that padding adds.
        _refuse_unless(len(node.input_tensors) == 1 and len(node.outputs[0].shape) == 2)
        source = id(node.input_tensors[0]._keras_history.operation)
        _refuse_unless(source in widths)  # else it is an operation outside any layer
        before = widths[source]
        if type(layer) is keras.layers.Dense:
            _refuse_unless(_is_plain(layer))
            out = layer.units if id(layer) in pinned else -(-layer.units // STEP) * STEP
            inputs.append((layer, before))
            padded[id(layer._kernel)] = PaddedVariable(layer._kernel, (before, out))
            fill = _fill(layer, decays) if out > layer.units else 0.0
            if layer.bias is not None:
                padded[id(layer.bias)] = PaddedVariable(layer.bias, (out,), fill)
        else:
            out = before
            _refuse_unless(before == node.outputs[0].shape[-1] or _keeps_zeros(layer))
            if type(layer) is keras.layers.BatchNormalization:
                _refuse_unless(_is_plain(layer) and layer.epsilon > 0)
                inputs.append((layer, before))
                padded |= {
                    id(variable): PaddedVariable(variable, (out,)) for variable in layer.weights
                }
        widths[id(layer)] = out
    padded |= _slots(model, padded)
    return Padding(
        {key: each for key, each in padded.items() if each.shape != tuple(each.variable.shape)},
        tuple(inputs),
        shared=True,
    )


def _keeps_zeros(layer: keras.layers.Layer) -> bool:
    """Whether features that are 0 stay 0, and cost nothing."""
    if layer.activity_regularizer is not None:
        return False
    match type(layer).__name__:
        case "Activation":
            return _name(layer.activation) in _ZERO_AT_ZERO
        case "Dropout":
            return layer.noise_shape is None
        case "ReLU":
            return bool(layer.threshold == 0)
        case kind:
            return kind in _KEEP_ZEROS


def _is_plain(layer: keras.layers.Layer) -> bool:
    """Whether zeros among the weights of a `Dense` or `BatchNormalization` stay zeros."""
    values = vars(layer)
    penalties = [values[name] for name in values if name.endswith("_regularizer")]
    constraints = [values[name] for name in values if name.endswith("_constraint")]
    changed = getattr(layer, "quantization_mode", None) or getattr(layer, "lora_enabled", False)
    return (
        not changed
        and all(constraint is None for constraint in constraints)
        # L1 has a gradient at 0 (JAX takes it for 1).
        and all(penalty is None or type(penalty) is keras.regularizers.L2 for penalty in penalties)
        and all(variable.dtype == "float32" for variable in layer.weights)
    )


def _name(activation: Any) -> str:
    """Returns the name of one of Keras's activations, "" for anything else."""
    name = getattr(activation, "__name__", "")
    return name if getattr(keras.activations, name, None) is activation else ""


def _fill(layer: keras.layers.Dense, decays: bool) -> float:
    """Returns the bias at which a unit without weights gives 0 and takes no gradient.

    Raises:
        _Refused: if there is none, or something would move it.
    """
    kind = _name(layer.activation)
    if kind in _ZERO_AT_ZERO:
        return 0.0
    _refuse_unless(kind in _ZERO_FAR_BELOW and layer.bias is not None)
    _refuse_unless(layer.bias_regularizer is None and not decays)
    return _SUNK_BIAS


def _slots(model: keras.Model, padded: dict[int, PaddedVariable]) -> dict[int, PaddedVariable]:
    """Returns how the optimizer's variables grow: each list of them belongs to the trainable."""
    optimizer, trainable = model.optimizer, model.trainable_variables
    # An added element divides 0 by the root of 0 and epsilon.
    _refuse_unless(not optimizer.use_ema and (getattr(optimizer, "epsilon", 1) or 0) >= 1e-30)
    found: dict[int, PaddedVariable] = {}
    for slots in vars(optimizer).values():
        if not isinstance(slots, Sequence) or len(slots) != len(trainable):
            continue
        for slot, variable in zip(slots, trainable, strict=True):
            known = padded.get(id(variable))
            if slot is variable or known is None or not isinstance(slot, keras.Variable):
                continue
            if slot.shape == variable.shape:
                found[id(slot)] = PaddedVariable(slot, known.shape)
    known_slots = (id(slot) in found or slot.ndim == 0 for slot in optimizer.variables)
    _refuse_unless(all(known_slots))
    return found


def _refuse_unless(condition: bool) -> None:
    if not condition:
        raise _Refused
