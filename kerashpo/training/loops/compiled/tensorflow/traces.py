"""Traced graphs and their variables, for one model or shared by models of one signature."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from kerashpo.training.late_variables import allocate
from kerashpo.training.loops.compiled.open_widths import is_dense
from kerashpo.training.loops.compiled.signature import (
    Structure,
    has_few_parameters,
    is_light,
    trained_variables,
)
from kerashpo.training.loops.compiled.tensorflow import graphs
from kerashpo.training.loops.compiled.tensorflow.activations import (
    Marks,
    bodies_of,
    switched_activations_of,
    with_loops,
)
from kerashpo.training.loops.compiled.tensorflow.lifting import fused, lifted
from kerashpo.training.loops.compiled.tensorflow.runtime import (
    collectable_graphs,
    functional_loops,
    has_gpu,
    is_flat,
)
from kerashpo.training.loops.compiled.tensorflow.slots import SlotBinding, Slots, variables_of

#: Graphs of one signature, of all kinds and activations, that are kept.
_MOST_GRAPHS = 64
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
        if not self.shared:
            allocate(trained_variables(model))
        # Keeps the variables alive: a graph only holds weak references to them.
        self._own = None if self.shared else [variable._value for variable in variables_of(model)]
        #: Whether `runtime.without_grappler` is used, and loops may stay one operation.
        dense = structure.free and is_dense(model)
        self.quick = dense or (self.shared and has_few_parameters(model) and not has_gpu())
        #: Whether `runtime.single_threaded_executor` may be used.
        self._single = self.quick and (structure.free or is_light(model))
        self._free = structure.free
        #: The last graph that was traced, of each kind, and where its activations are.
        self._bases: dict[Hashable, tuple[_Loops, Marks]] = {}
        self._loops: dict[Hashable, _Loops] = {}
        self._graphs: dict[Hashable, graphs.Concrete] = {}
        self._flat: dict[Hashable, bool] = {}

    def bind(self, model: keras.Model) -> SlotBinding | None:
        """Binds the model's variables to the slots; None where the trace reads the model's own."""
        return None if self._slots is None else SlotBinding(model, self._slots)

    def reads(self, model: keras.Model) -> bool:
        """Whether a private trace's graphs still read the variables that the model has."""
        mine, now = self._own or (), variables_of(model)
        return len(mine) == len(now) and all(
            own is variable._value for own, variable in zip(mine, now, strict=True)
        )

    def activations(self, model: keras.Model) -> tuple[str, ...]:
        """Returns the activations of a model that may differ between models of this trace."""
        if self._slots is None:
            return ()
        return tuple(name for _, name in switched_activations_of(model))

    def graph(
        self, trace: Trace, model: keras.Model, data: Any, activations: tuple[str, ...]
    ) -> graphs.Concrete:
        """Returns the graph that `trace` makes for data of this type; traced at most once.

        Args:
            trace: one of `graphs.trace_training`, `trace_testing`, `trace_predicting`, or of
                `graphs.STREAMS`.
            model: a model bound to the slots.
            data: nested tensors, or an iterator of batches.
            activations: see `activations`.
        """
        return self._graph(trace, model, data, activations, lowered=True)

    def small_graph(
        self, trace: Trace, model: keras.Model, data: Any, activations: tuple[str, ...]
    ) -> graphs.Concrete | None:
        """Returns the graph for `runtime.single_threaded_executor`, None if it cannot use that."""
        if not self._single:
            return None
        graph = self._graph(trace, model, data, activations, lowered=False)
        key = (trace.__name__, _spec_key(data))
        if key not in self._flat:
            self._flat[key] = is_flat(graph)
        return graph if self._flat[key] else None

    def _graph(
        self,
        trace: Trace,
        model: keras.Model,
        data: Any,
        activations: tuple[str, ...],
        *,
        lowered: bool,
    ) -> graphs.Concrete:
        kind = (trace.__name__, _spec_key(data))
        key = (kind, activations)
        if (key, lowered) not in self._graphs:
            if key not in self._loops:
                if len(self._loops) >= _MOST_GRAPHS:
                    for cache in (self._bases, self._loops, self._graphs):
                        cache.clear()
                self._loops[key] = self._exchanged(kind, activations) or self._traced(
                    kind, trace, model, data, activations
                )
            loops = self._loops[key]
            self._graphs[key, lowered] = (
                loops.graph
                if loops.lowered is lowered
                else with_loops(loops.graph, loops.bodies, lowered=lowered)
            )
        return self._graphs[key, lowered]

    def _exchanged(self, kind: Hashable, activations: tuple[str, ...]) -> _Loops | None:
        """Returns the graph of other activations, with these; None if there is none."""
        if kind not in self._bases:
            return None
        base, marks = self._bases[kind]
        bodies = marks.exchanged(base.graph.graph, base.bodies, activations)
        return None if bodies is None else base._replace(bodies=bodies, lowered=None)

    def _traced(
        self,
        kind: Hashable,
        trace: Trace,
        model: keras.Model,
        data: Any,
        activations: tuple[str, ...],
    ) -> _Loops:
        marks, whole = Marks(model, activations), self.quick and trace not in graphs.STREAMS
        with contextlib.ExitStack() as stack:
            stack.enter_context(fused(model.optimizer))
            if self._slots is not None:
                # Only for Keras's code: a user's function may be differentiated later.
                stack.enter_context(collectable_graphs())
                stack.enter_context(lifted(model, self._slots, free=self._free))
                stack.enter_context(marks.noted())
            if whole:
                stack.enter_context(functional_loops())
            graph = trace(model, data)
        loops = _Loops(graph, bodies_of(graph.graph), not whole)
        if activations:
            self._bases[kind] = loops, marks
        return loops


class _Loops(NamedTuple):
    """A traced graph, and the functions of its loops with the activations of a model.

    Attributes:
        graph: as it was traced, which may be with other activations.
        bodies: name of a loop -> the function of its step.
        lowered: whether the graph's own loops are lowered; None if it has other activations.
    """

    graph: graphs.Concrete
    bodies: dict[str, str]
    lowered: bool | None


def _spec_key(data: Any) -> Hashable:
    if isinstance(data, tf.data.Iterator):
        return str(data.element_spec)
    leaves = [
        (path, None if leaf is None else (leaf.dtype.name, tuple(leaf.shape[1:])))
        for path, leaf in keras.tree.flatten_with_path(data)
    ]
    return str(tf.nest.map_structure(lambda _: 0, data)), tuple(leaves)
