"""Padding: layers get extra units without effect, so that models of many widths have equal shapes.

A unit whose incoming and outgoing weights are 0, and whose activation is then 0, gets no gradient
and changes no output; it stays so under every optimizer that updates variables element by
element. Where an activation is not 0 at 0 (sigmoid), a very negative bias makes it 0.
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

from kerashpo.training.loops.compiled.open_widths import layers_of
from kerashpo.training.loops.compiled.signature import nodes_of, pinned_of, structure_of

#: Widths are padded to multiples of this.
STEP = 512
#: Limit of the floating-point operations that padding adds to an epoch: 50 such epochs take as
#: long as XLA needs to compile another network.
_ADDED_PER_EPOCH = 2.5e9
#: Operations per parameter and step of the optimizer, whose updates are bound by memory.
_UPDATE = 100
_SUNK_BIAS = -1e4
_ZERO_AT_ZERO = frozenset(
    "linear relu relu6 tanh elu celu selu gelu silu hard_silu leaky_relu mish softsign hard_tanh "
    "tanh_shrink hard_shrink soft_shrink".split()
)
_ZERO_FAR_BELOW = frozenset("sigmoid hard_sigmoid softplus exponential".split())
_KEEP_ZEROS = frozenset("LeakyReLU ELU Identity BatchNormalization".split())


class _Refused(Exception):
    """Raised for a model that cannot be padded."""


@dataclass(frozen=True, slots=True, eq=False)
class PaddedVariable:
    """A padded variable: its padded shape, and the value of the added elements."""

    variable: Any
    shape: tuple[int, ...]
    fill: float = 0.0

    def pad(self) -> Any:
        """Returns the variable's value in the padded shape, on the device."""
        wide = np.full(self.shape, self.fill, dtype=self.variable.dtype)
        wide[self._corner()] = np.asarray(self.variable.value)
        return jnp.asarray(wide)

    def cut(self, value: Any) -> Any:
        """Returns a padded value without the added elements."""
        return jnp.asarray(np.asarray(value)[self._corner()])

    def _corner(self) -> tuple[slice, ...]:
        return tuple(slice(size) for size in self.variable.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Padding:
    """Padding of one model.

    Attributes:
        padded: id of a Keras variable -> its padding; other variables are not padded.
        inputs: the layers that check the width of their input, with the padded width.
        shared: whether the model uses the executables of padded models, which it does without any
            padding if its widths are multiples of `STEP`.
    """

    padded: dict[int, PaddedVariable]
    inputs: tuple[tuple[keras.layers.Layer, int], ...]
    shared: bool

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Context of a trace in which the model's variables have their padded shapes."""
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
    """Returns the padding of a model, `NONE` where that is not exact or would cost too much.

    The result depends only on model and data, not on what was compiled before, so that a resumed
    trial is trained the same way.

    Args:
        model: built and compiled.
        steps: training steps per epoch.
        batch: samples per step.
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
    # Six operations per weight and sample: two forward, four backward.
    return padding if added * steps * (6 * batch + _UPDATE) <= _ADDED_PER_EPOCH else NONE


def _padded(model: keras.Model) -> Padding:
    """Returns the padding of a model whose layers form chains.

    Raises:
        _Refused: if added units would change the model's outputs or gradients.
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
        # Further axes would multiply the operations that padding adds.
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
    """Whether a layer maps features that are 0 to 0, without a penalty."""
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
    """Whether weights of a `Dense` or `BatchNormalization` layer that are 0 stay 0 in training."""
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
    """Returns the bias at which a unit whose weights are 0 outputs 0 and gets no gradient.

    Raises:
        _Refused: if there is none, or training would change it.
    """
    kind = _name(layer.activation)
    if kind in _ZERO_AT_ZERO:
        return 0.0
    _refuse_unless(kind in _ZERO_FAR_BELOW and layer.bias is not None)
    _refuse_unless(layer.bias_regularizer is None and not decays)
    return _SUNK_BIAS


def _slots(model: keras.Model, padded: dict[int, PaddedVariable]) -> dict[int, PaddedVariable]:
    """Returns the padding of the optimizer's slots, which have the shapes of their variables."""
    optimizer, trainable = model.optimizer, model.trainable_variables
    # For an added element the optimizer divides 0 by the root of 0 plus epsilon.
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
