"""The executables of a structure, and how one model's values go through them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable
from typing import Any, Literal, final

import jax
import jax.numpy as jnp
import keras
import numpy as np

from kerashpo.training.loops.compiled.engine import LRUCache
from kerashpo.training.loops.compiled.jax.graphs import Graphs, State, variables_of
from kerashpo.training.loops.compiled.jax.lifting import (
    GraphInputs,
    Lift,
    graph_inputs_of,
    seeds_of,
    state_of,
)
from kerashpo.training.loops.compiled.jax.padding import Padding

#: Executables of one structure: kinds, batch sizes, numbers of rows (`predict` may leave a rest).
_HELD = 32
Kind = Literal["training", "training_until_nan", "testing", "predicting"]
Compiled = Callable[..., Any]


@final
class Executables:
    """Executables by kind, batch size and shapes; made when first needed.

    Args:
        keep: of one model's own executables: the optimizer, loss and metrics they were made for.
        lifted: whether rates, seeds and penalties are inputs.
    """

    def __init__(self, keep: tuple[Any, ...] = (), *, lifted: bool) -> None:
        self.keep, self.lifted = keep, lifted
        self._made: LRUCache[Hashable, Compiled] = LRUCache(_HELD)

    def compiled(
        self, kind: Kind, model: keras.Model, padding: Padding, batch: int, *arguments: Any
    ) -> Compiled:
        """Returns the executable for arguments of these shapes.

        Args:
            kind: a method of `Graphs`.
            model: any model of the structure, traced if need be.
            padding: how it is padded.
            batch: samples a step.
            arguments: state, inputs and what else the executable takes.
        """

        def compile_now() -> Compiled:
            lift = Lift(model, activations=padding.shared) if self.lifted else None
            with padding.active(), contextlib.nullcontext() if lift is None else lift.active():
                function = getattr(Graphs(model, lift), kind)(batch)
                return jax.jit(function).lower(*arguments).compile()  # type: ignore[no-any-return]

        return self._made.get((kind, batch, _shapes(arguments)), compile_now)


@final
class Values:
    """One model's values as an executable takes them: padded, on the device.

    Keras's variables hold the values without padding, up to date after each `set`, since
    callbacks look at them; what a callback assigns is noticed.

    Args:
        model: a built model.
        padding: how it is padded.
        lifted: whether its dropout seeds are `GraphInputs`.
    """

    def __init__(self, model: keras.Model, padding: Padding, *, lifted: bool) -> None:
        self._padding = padding
        self._variables = variables_of(model, lifted=lifted)
        self._seeds = seeds_of(model) if lifted else []
        self._graph_inputs = (
            graph_inputs_of(model, activations=padding.shared) if lifted else GraphInputs()
        )
        #: id of a padded variable -> its value, and that value padded.
        self._padded: dict[int, tuple[Any, Any]] = {}

    def graph_inputs(self) -> GraphInputs:
        """Returns the model's rates and penalties of the start, and its present seeds."""
        return self._graph_inputs._replace(seeds=tuple(map(state_of, self._seeds)))

    def advance_seeds(self, steps: int) -> None:
        """Leaves the seeds where `fit` would leave them: one call of each layer a step."""
        for seed in self._seeds:
            if seed is not None:
                seed._value = jnp.asarray(state_of(seed) + np.array([0, steps], np.uint32))

    def state(self) -> State:
        """Returns the values of all variables."""
        trainable, fixed, optimizer, metrics = (
            [self._value(variable) for variable in variables] for variables in self._variables
        )
        return trainable, fixed, optimizer, metrics

    def set(self, state: State) -> None:
        """Gives the model the values that an executable returned."""
        for variables, values in zip(self._variables, state, strict=True):
            self._assign(variables, values)

    def set_metrics(self, values: list[Any]) -> None:
        """Gives the model's metrics their values."""
        self._assign(self._variables[3], values)

    def _value(self, variable: Any) -> Any:
        padded = self._padding.padded.get(id(variable))
        if padded is None:
            return variable.value
        held = self._padded.get(id(variable))
        if held is None or held[0] is not variable._value:
            held = self._padded[id(variable)] = (variable._value, padded.pad())
        return held[1]

    def _assign(self, variables: list[Any], values: list[Any]) -> None:
        # `assign` would check again, for each variable and epoch, what compilation has checked.
        for variable, value in zip(variables, values, strict=True):
            padded = self._padding.padded.get(id(variable))
            if padded is None:
                variable._value = value
            else:
                variable._value = padded.cut(value)
                self._padded[id(variable)] = (variable._value, value)


def _shapes(arguments: Any) -> Hashable:
    leaves, tree = jax.tree.flatten(arguments)
    return tree, tuple((leaf.shape, str(leaf.dtype)) for leaf in leaves)
