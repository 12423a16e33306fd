"""Lifts constants out of a graph: rates, seeds, penalties and activations become its inputs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, final

import jax
import jax.numpy as jnp
import keras
import numpy as np

from kerashpo.training.loops.compiled.jax import threefry
from kerashpo.training.loops.compiled.open_widths import layers_of
from kerashpo.training.loops.compiled.signature import (
    dropouts_of,
    nodes_of,
    penalties_of,
    pinned_of,
)


class GraphInputs(NamedTuple):
    """Inputs that differ between models with one executable, besides their variables.

    Attributes:
        seeds: the random state of each dropout layer at the start of the epoch, uint32, shape (2,).
        kept: the keep probability of each dropout layer, float32.
        widths: the number of features of each dropout layer before padding, uint32.
        penalties: the factor of each L2 penalty, float32.
        shapes: coefficients of a layer's activation (relu, tanh or sigmoid), see `_activation`,
            float32, shape (4,); empty where activations are constants of the graph.
    """

    seeds: tuple[np.ndarray, ...] = ()
    kept: tuple[np.float32, ...] = ()
    widths: tuple[np.uint32, ...] = ()
    penalties: tuple[np.float32, ...] = ()
    shapes: tuple[np.ndarray, ...] = ()


#: Coefficients of an activation: (1 for relu, a, b, c) of ``a tanh(b x) + c``.
_SHAPES = {"relu": (1, 0, 0, 0), "tanh": (0, 1, 1, 0), "sigmoid": (0, 0.5, 0.5, 0.5)}


def lifted_activations_of(model: keras.Model) -> list[keras.layers.Dense]:
    """Returns the `Dense` layers of open width whose activation can be an input of the graph."""
    pinned = pinned_of(model)
    return [
        layer
        for layer in layers_of(model)
        if type(layer) is keras.layers.Dense
        and id(layer) not in pinned
        and any(layer.activation is getattr(keras.activations, name) for name in _SHAPES)
    ]


def can_be_lifted(model: keras.Model) -> bool:
    """Whether rates and seeds can be inputs, so that `_dropout` draws the masks of Keras.

    This requires a graph that calls each dropout layer once, on a known width, and JAX's default
    generator.
    """
    dropouts = dropouts_of(model)
    if not dropouts:
        return True
    config = jax.config
    usual = config.jax_threefry_partitionable and not config.jax_enable_x64
    if not usual or config.jax_default_prng_impl != "threefry2x32":
        return False
    if type(model) is not keras.Sequential and type(model).__name__ != "Functional":
        return False
    nodes = nodes_of(model)
    return all(
        id(layer) in nodes and nodes[id(layer)].outputs[0].shape[-1] is not None
        for layer in dropouts
    )


def seeds_of(model: keras.Model) -> list[Any]:
    """Returns the seed variables of the dropout layers, None for a layer of rate 0."""
    return [layer.seed_generator.state if layer.rate > 0 else None for layer in dropouts_of(model)]


def state_of(seed: Any) -> np.ndarray:
    """Returns the value of a seed variable, uint32, shape (2,); zeros for None."""
    return np.zeros(2, np.uint32) if seed is None else np.asarray(seed.value, np.uint32)


def graph_inputs_of(model: keras.Model, *, activations: bool) -> GraphInputs:
    """Returns the current values of a built model.

    Args:
        model: a built model.
        activations: whether activations are inputs.
    """
    layers = dropouts_of(model)
    nodes = nodes_of(model) if layers else {}
    return GraphInputs(
        tuple(map(state_of, seeds_of(model))),
        tuple(np.float32(1.0 - layer.rate) for layer in layers),
        tuple(np.uint32(nodes[id(layer)].outputs[0].shape[-1]) for layer in layers),
        tuple(np.float32(penalty.l2) for penalty in penalties_of(model)),
        tuple(
            np.array(_SHAPES[layer.activation.__name__], np.float32)
            for layer in (lifted_activations_of(model) if activations else ())
        ),
    )


@final
class Lift:
    """Lets a model's rates, seeds and penalties come from `GraphInputs` while it is traced.

    Args:
        model: built and compiled.
        activations: whether activations do, too.
    """

    def __init__(self, model: keras.Model, *, activations: bool) -> None:
        self._layers, self._penalties = dropouts_of(model), penalties_of(model)
        self._activations = lifted_activations_of(model) if activations else []
        self._graph_inputs, self._step = GraphInputs(), None

    def set(self, inputs: GraphInputs, step: Any = None) -> None:
        """Sets the inputs of the step that is traced next.

        Args:
            inputs: traced values.
            step: the number of the step in its epoch, from 0, uint32; None outside training,
                where dropout is inactive.
        """
        self._graph_inputs, self._step = inputs, step
        for penalty, factor in zip(self._penalties, inputs.penalties, strict=True):
            penalty.l2 = factor

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Context of a trace, in which the model reads the inputs."""
        before = [penalty.l2 for penalty in self._penalties]
        activations = [layer.activation for layer in self._activations]
        try:
            for number, layer in enumerate(self._activations):
                layer.activation = self._activation(number)
            for number, layer in enumerate(self._layers):
                vars(layer)["call"] = self._dropout(number)
            yield
        finally:
            for penalty, factor in zip(self._penalties, before, strict=True):
                penalty.l2 = factor
            for layer, activation in zip(self._activations, activations, strict=True):
                layer.activation = activation
            for layer in self._layers:
                vars(layer).pop("call", None)
            self._graph_inputs = GraphInputs()

    def _activation(self, number: int) -> Callable[[Any], Any]:
        """Returns relu, tanh or sigmoid: ``1 / (1 + exp(-x)) = tanh(x / 2) / 2 + 1 / 2``."""

        def activation(x: Any) -> Any:
            relu, outer, inner, shift = self._graph_inputs.shapes[number]
            # The branch not chosen must be finite, since its gradient is multiplied by 0. NaN
            # inputs stay NaN.
            bent = outer * jnp.tanh(inner * jnp.where(relu > 0, 0, x)) + shift
            return jnp.where(relu > 0, jnp.where(x <= 0, 0, x), bent).astype(x.dtype)

        return activation

    def _dropout(self, number: int) -> Callable[..., Any]:
        """Returns `keras.layers.Dropout.call`: the masks that `fit` would draw, padded or not."""

        def call(inputs: Any, training: bool = False) -> Any:
            if not training:
                return inputs
            given = self._graph_inputs
            # Keras adds 1 to the second word at each call, and calls the layer once a step.
            key = given.seeds[number] + jnp.stack([jnp.uint32(0), self._step])
            drawn = threefry.uniform(key, _places(inputs.shape, given.widths[number]))
            kept = given.kept[number]
            # Where all units are dropped, a divisor of 1 makes the gradient 0 instead of NaN.
            share = jnp.where(kept > 0, kept, 1).astype(inputs.dtype)
            return jnp.where(drawn < kept, inputs / share, jnp.zeros((), inputs.dtype))

        return call


def _places(shape: tuple[int, ...], width: Any) -> Any:
    """Returns each element's index in the flat array whose last axis has `width` elements."""
    size = int(np.prod(shape[:-1]))
    rows = jax.lax.broadcasted_iota(jnp.uint32, (size, shape[-1]), 0)
    columns = jax.lax.broadcasted_iota(jnp.uint32, (size, shape[-1]), 1)
    return (rows * width + columns).reshape(shape)
