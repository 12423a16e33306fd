"""Activations exchanged in a traced loop: another one needs no trace of its own.

An activation that is one operation, as its gradient is, can be replaced in the functions of a
graph's loops. The result is the graph that a trace with the other activation gives.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, final

import keras
import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2
from tensorflow.python.eager.polymorphic_function import atomic_function
from tensorflow.python.eager.polymorphic_function.concrete_function import ConcreteFunction

from kerashpo.training.loops.compiled.open_widths import layers_of
from kerashpo.training.loops.compiled.signature import nodes_of, pinned_of


class Kernels(NamedTuple):
    """The operations of an activation.

    Attributes:
        forward: type of the operation from inputs to outputs.
        result: the name of its output.
        gradient: type of the operation from the outputs and their gradient to the inputs' gradient.
        descent: the name of its output.
        outputs_first: whether it takes the outputs first, and then their gradient.
    """

    forward: str
    result: str
    gradient: str
    descent: str
    outputs_first: bool


KERNELS = {
    "relu": Kernels("Relu", "activations", "ReluGrad", "backprops", False),
    "relu6": Kernels("Relu6", "activations", "Relu6Grad", "backprops", False),
    "elu": Kernels("Elu", "activations", "EluGrad", "backprops", False),
    "selu": Kernels("Selu", "activations", "SeluGrad", "backprops", False),
    "tanh": Kernels("Tanh", "y", "TanhGrad", "z", True),
    "sigmoid": Kernels("Sigmoid", "y", "SigmoidGrad", "z", True),
}
"""Activations that can be exchanged for each other, by their names in `keras.activations`."""
#: Layers that apply the activation of their configuration once, to their result.
_ACTIVATED = frozenset(
    "Dense Activation Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose "
    "DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D".split()
)
_COUNTER = itertools.count()


def switched_activations_of(model: keras.Model) -> list[tuple[keras.layers.Layer, str]]:
    """Returns the layers whose activation can be exchanged, and its name in `KERNELS`.

    Left out are layers that the model's graph does not call exactly once (those of nested models
    among them), and what follows the last `Dense`: Keras's losses read the logits that some
    activations leave on the outputs.
    """
    if type(model) is not keras.Sequential and type(model).__name__ != "Functional":
        return []
    pinned, nodes = pinned_of(model), nodes_of(model)
    found = []
    for layer in layers_of(model):
        activation = vars(layer).get("activation")
        name = getattr(activation, "__name__", "")
        if (
            type(layer).__name__ in _ACTIVATED
            and name in KERNELS
            and activation is getattr(keras.activations, name, None)
            and id(layer) in nodes
            and id(layer) not in pinned
        ):
            found.append((layer, name))
    return found


@final
class Marks:
    """The operations of a trace that are activations of the layers of `switched_activations_of`.

    Args:
        model: the model that is traced.
        names: the activation of each layer.
    """

    def __init__(self, model: keras.Model, names: Sequence[str]) -> None:
        self._layers = [layer for layer, _ in switched_activations_of(model)]
        self._names = tuple(names)
        self._found: list[tuple[int, tf.Operation]] = []

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Context of the trace, in which the operations are noted."""
        before = [layer.activation for layer in self._layers]
        try:
            for number, layer in enumerate(self._layers):
                vars(layer)["activation"] = self._noting(number)
            yield
        finally:
            for layer, activation in zip(self._layers, before, strict=True):
                vars(layer)["activation"] = activation

    def exchanged(
        self, graph: Any, bodies: Mapping[str, str], names: Sequence[str]
    ) -> dict[str, str] | None:
        """Returns name of a loop -> its step with other activations, a new function of the graph.

        None where an activation of the trace is not an operation of the body of a loop.

        Args:
            graph: the traced graph.
            bodies: name of each loop -> the function of its step, as it was traced.
            names: the activation of each layer.
        """
        kinds = {
            operation.name: (KERNELS[self._names[number]], KERNELS[names[number]])
            for number, operation in self._found
        }
        graphs = {id(operation.graph) for _, operation in self._found}
        left, made = set(kinds), {}
        for loop, old in bodies.items():
            function = graph._get_function(old)
            definition = function.definition
            held = left & {node.name for node in definition.node_def}
            if not held:
                continue
            changed = type(definition)()
            changed.CopyFrom(definition)
            made[loop] = changed.signature.name = f"{old}_{next(_COUNTER)}"
            _exchange(changed, {name: kinds[name] for name in held})
            body = atomic_function.from_function_def(changed, function.function_type)
            graph._add_function_recursive(body)
            left -= held
        return None if left or len(graphs) != len(made) else {**bodies, **made}

    def _noting(self, number: int) -> Callable[[Any], Any]:
        name = self._names[number]
        function, expected = getattr(keras.activations, name), KERNELS[name].forward

        def activation(x: Any) -> Any:
            y = function(x)
            if y.op.type == expected:
                self._found.append((number, y.op))
            return y

        return activation


def _loops_of(graph: Any) -> list[Any]:
    """Returns the loops of a graph, operations that call the function of a step."""
    kinds = ("While", "StatelessWhile")
    return [operation for operation in graph.get_operations() if operation.type in kinds]


def bodies_of(graph: Any) -> dict[str, str]:
    """Returns name of each loop of a graph -> the function of its step."""
    return {loop.name: loop.get_attr("body").name for loop in _loops_of(graph)}


def with_loops(graph: Any, bodies: Mapping[str, str], *, lowered: bool) -> Any:
    """Returns a concrete function traced under `functional_loops`, with other loops.

    The graph is not traced again: only attributes of its loops differ, which each concrete
    function copies when it is made.

    Args:
        graph: the concrete function.
        bodies: name of a loop -> the function of its step, which the graph knows.
        lowered: whether loops are lowered to their operations, which runs large steps in two
            thirds of the time.
    """
    for loop in _loops_of(graph.graph):
        loop._set_attr("_lower_using_switch_merge", attr_value_pb2.AttrValue(b=lowered))
        if loop.name in bodies:
            body = attr_value_pb2.NameAttrList(name=bodies[loop.name])
            loop._set_attr("body", attr_value_pb2.AttrValue(func=body))
    return ConcreteFunction.from_func_graph(graph.graph, graph.function_type, {})


def _exchange(function: Any, kinds: dict[str, tuple[Kernels, Kernels]]) -> None:
    """Exchanges the operations of activations, and their gradients, in a `FunctionDef`."""
    outputs = {f"{name}:{old.result}:0": (old, new) for name, (old, new) in kinds.items()}
    renamed = {}
    for node in function.node_def:
        if node.name in kinds:
            old, new = kinds[node.name]
            node.op = new.forward
            renamed[f"{node.name}:{old.result}:0"] = f"{node.name}:{new.result}:0"
            continue
        for value in {value for value in node.input if value in outputs}:
            old, new = outputs[value]
            if node.op != old.gradient or node.input[not old.outputs_first] != value:
                continue
            if old.outputs_first != new.outputs_first:
                node.input[0], node.input[1] = node.input[1], node.input[0]
            node.op = new.gradient
            renamed[f"{node.name}:{old.descent}:0"] = f"{node.name}:{new.descent}:0"
    for node in function.node_def:
        for position, value in enumerate(node.input):
            node.input[position] = renamed.get(value, value)
    for name, value in function.ret.items():
        function.ret[name] = renamed.get(value, value)
