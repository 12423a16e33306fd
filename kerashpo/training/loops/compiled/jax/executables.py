"""Compiled executables of one signature, and the values of a model that they take and return."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable
from importlib.metadata import version
from typing import Any, Literal, final

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax.experimental import serialize_executable

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
from kerashpo.training.loops.compiled.programs import ProgramCache

#: Cached executables of one signature: by kind, batch size and number of rows.
_HELD = 32
Kind = Literal["training", "training_until_nan", "testing", "predicting"]
Compiled = Callable[..., Any]


@final
class Executables:
    """Executables by kind, batch size and shapes, compiled lazily.

    Args:
        keep: for executables of a single model: its optimizer, loss and metrics.
        lifted: whether rates, seeds and penalties are inputs.
    """

    def __init__(self, keep: tuple[Any, ...] = (), *, lifted: bool) -> None:
        self.keep, self.lifted = keep, lifted
        self._made: LRUCache[Hashable, Compiled] = LRUCache(_HELD)

    def compiled(
        self,
        kind: Kind,
        model: keras.Model,
        padding: Padding,
        batch: int,
        *arguments: Any,
        axes: tuple[int | None, ...] | None = None,
        cache: ProgramCache | None = None,
    ) -> Compiled:
        """Returns the executable for arguments of these shapes.

        Args:
            kind: a method of `Graphs`.
            model: any model with this signature; traced if there is no executable.
            padding: how it is padded.
            batch: samples per step.
            arguments: state, inputs and the executable's other arguments.
            axes: the arguments' axes over models trained together, see `jax.vmap`; None for one
                model.
            cache: where programs are kept for later searches; None for nowhere.
        """

        def compile_now() -> Compiled:
            lift = Lift(model, activations=padding.shared) if self.lifted else None
            with padding.active(), contextlib.nullcontext() if lift is None else lift.active():
                function = getattr(Graphs(model, lift), kind)(batch)
                if axes is not None:
                    function = jax.vmap(function, in_axes=axes)
                lowered = jax.jit(function).lower(*arguments)
            return lowered.compile() if cache is None else _cached(lowered, cache)  # type: ignore

        return self._made.get((kind, batch, axes, _shapes(arguments)), compile_now)


@final
class Values:
    """Variable values of one model as an executable takes them: padded, on the device.

    The Keras variables hold the values without padding, up to date after each `set`, since
    callbacks read them; values that a callback assigns are used.

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
        """Returns the rates and penalties at the start of the session, and the current seeds."""
        return self._graph_inputs._replace(seeds=tuple(map(state_of, self._seeds)))

    def advance_seeds(self, steps: int) -> None:
        """Advances the seeds as `fit` would: each layer is called once per step."""
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
        """Assigns the values that an executable returned."""
        for variables, values in zip(self._variables, state, strict=True):
            self._assign(variables, values)

    def set_metrics(self, values: list[Any]) -> None:
        """Assigns the values of the model's metrics."""
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
        # Without the checks of `assign`: shapes and types were checked at compilation.
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


def _cached(lowered: Any, cache: ProgramCache) -> Compiled:
    """Compiles, unless the cache has the program of this text, these versions and this device."""
    device = jax.devices()[0]
    versions = (jax.__version__, version("jaxlib"), device.device_kind)
    key = cache.key(lowered.as_text(), " ".join([*versions, device.client.platform_version]))
    stored = cache.get(key)
    if stored is not None:
        with contextlib.suppress(Exception):  # of another version, or cut short
            return serialize_executable.deserialize_and_load(  # type: ignore[no-any-return]
                stored, lowered.in_tree, lowered.out_tree
            )
    compiled = lowered.compile()
    with contextlib.suppress(ValueError, NotImplementedError):  # not on every device
        cache.put(key, serialize_executable.serialize(compiled)[0])
    return compiled  # type: ignore[no-any-return]
