"""Traced graphs and their variables, for one model or shared by models of one signature."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable
from typing import Any

import keras
import tensorflow as tf

from kerashpo.training.loops.compiled.signature import (
    Structure,
    has_few_parameters,
    is_light,
)
from kerashpo.training.loops.compiled.tensorflow import graphs
from kerashpo.training.loops.compiled.tensorflow.lifting import fused, lifted
from kerashpo.training.loops.compiled.tensorflow.runtime import (
    collectable_graphs,
    functional_loops,
    has_gpu,
    is_flat,
    with_lowered_loops,
)
from kerashpo.training.loops.compiled.tensorflow.slots import SlotBinding, Slots, variables_of

Trace = Callable[[keras.Model, Any], graphs.Concrete]


class SharedTrace:
    """The graphs of one trace signature, traced lazily.

    A shared trace has slots, which replace a model's variables while it trains. A private one
    reads its model's own variables, and no other model may use it.

    Args:
        model: the first model with this signature.
        structure: its signature.
    """

    def __init__(self, model: keras.Model, structure: Structure) -> None:
        #: Whether models of one signature share it.
        self.shared = structure.key is not None
        self._slots = Slots.like(model, free=structure.free) if self.shared else None
        # Keeps the variables alive: a graph only holds weak references to them.
        self._own = None if self.shared else [variable._value for variable in variables_of(model)]
        #: Whether `runtime.without_grappler` is used, and loops may stay one operation.
        self.quick = structure.free or (self.shared and has_few_parameters(model) and not has_gpu())
        #: Whether `runtime.single_threaded_executor` may be used.
        self._single = structure.free or (self.quick and is_light(model))
        self._graphs: dict[Hashable, graphs.Concrete] = {}
        self._lowered: dict[graphs.Concrete, graphs.Concrete] = {}
        self._flat: dict[graphs.Concrete, bool] = {}

    def bind(self, model: keras.Model) -> SlotBinding | None:
        """Binds the model's variables to the slots; None where the trace reads the model's own."""
        return None if self._slots is None else SlotBinding(model, self._slots)

    def reads(self, model: keras.Model) -> bool:
        """Whether a private trace's graphs still read the variables that the model has."""
        mine, now = self._own or (), variables_of(model)
        return len(mine) == len(now) and all(
            own is variable._value for own, variable in zip(mine, now, strict=True)
        )

    def graph(self, trace: Trace, model: keras.Model, data: Any) -> graphs.Concrete:
        """Returns the graph that `trace` makes for data of this type; traced at most once.

        Args:
            trace: one of `graphs.trace_training`, `trace_testing`, `trace_predicting`, or of
                `graphs.STREAMS`.
            model: a model bound to the slots.
            data: nested tensors, or an iterator of batches.
        """
        traced = self._traced(trace, model, data)
        if not self.quick or trace in graphs.STREAMS:
            return traced
        if traced not in self._lowered:
            self._lowered[traced] = with_lowered_loops(traced)
        return self._lowered[traced]

    def small_graph(self, trace: Trace, model: keras.Model, data: Any) -> graphs.Concrete | None:
        """Returns the graph for `runtime.single_threaded_executor`, None if it cannot use that."""
        if not self._single:
            return None
        traced = self._traced(trace, model, data)
        if traced not in self._flat:
            self._flat[traced] = is_flat(traced)
        return traced if self._flat[traced] else None

    def _traced(self, trace: Trace, model: keras.Model, data: Any) -> graphs.Concrete:
        key = (trace.__name__, _spec_key(data))
        if key not in self._graphs:
            with contextlib.ExitStack() as stack:
                stack.enter_context(fused(model.optimizer))
                if self._slots is not None:
                    # Only for Keras's code: a user's function may be differentiated later.
                    stack.enter_context(collectable_graphs())
                    stack.enter_context(lifted(model, self._slots))
                if self.quick and trace not in graphs.STREAMS:
                    stack.enter_context(functional_loops())
                self._graphs[key] = trace(model, data)
        return self._graphs[key]


def _spec_key(data: Any) -> Hashable:
    if isinstance(data, tf.data.Iterator):
        return str(data.element_spec)
    leaves = [
        (path, None if leaf is None else (leaf.dtype.name, tuple(leaf.shape[1:])))
        for path, leaf in keras.tree.flatten_with_path(data)
    ]
    return str(tf.nest.map_structure(lambda _: 0, data)), tuple(leaves)
