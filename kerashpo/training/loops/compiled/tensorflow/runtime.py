"""TensorFlow's own options, changed for the time of a session and put back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2
from tensorflow.python.eager import context
from tensorflow.python.eager.polymorphic_function.concrete_function import ConcreteFunction
from tensorflow.python.framework import ops

_OPTION = "disable_meta_optimizer"


@contextlib.contextmanager
def without_grappler() -> Iterator[None]:
    """Leaves out the graph optimizer (Grappler) for functions first called inside.

    For dense layers of unknown width it finds nothing worth its time: an epoch takes as long
    with it as without, the first call half as long again.
    """
    before = bool(tf.config.optimizer.get_experimental_options().get(_OPTION, False))
    tf.config.optimizer.set_experimental_options({_OPTION: True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({_OPTION: before})


#: Products a step up to which one thread is quicker than several.
_FEW_PRODUCTS = 1_500_000
_ONE_THREAD = "SINGLE_THREADED_EXECUTOR"


@contextlib.contextmanager
def functional_loops() -> Iterator[None]:
    """Keeps each loop traced inside as one operation, for `single_threaded_executor`."""
    with context.function_executor_type(_ONE_THREAD):
        yield


def is_flat(graph: Any) -> bool:
    """Whether no loop of a graph calls functions of its own.

    `single_threaded_executor` would wait for those in a pool of threads that may have one thread
    only, the one that waits.
    """
    return not any(
        attribute.HasField("func") or attribute.list.func
        for function in graph.graph.as_graph_def().library.function
        for node in function.node_def
        for attribute in node.attr.values()
    )


def with_lowered_loops(graph: Any) -> Any:
    """Returns a concrete function traced under `functional_loops` as it is without.

    A loop taken apart into its operations runs large steps in two thirds of the time. The graph
    is not traced again: the two differ in an attribute of its loops, which each concrete function
    copies when it is made.
    """
    lower = attr_value_pb2.AttrValue(b=True)
    for operation in graph.graph.get_operations():
        if operation.type in ("While", "StatelessWhile"):
            operation._set_attr("_lower_using_switch_merge", lower)
    return ConcreteFunction.from_func_graph(graph.graph, graph.function_type, {})


def is_small(products: int) -> bool:
    """Whether one thread is quicker for a step of so many products (parameters times batch).

    It handles an operation in two thirds of the time, but never two at once. Measured on two
    cores: a quarter less CPU time below 1.5 million products, as much more above 3 million.
    """
    return products <= _FEW_PRODUCTS and not tf.config.list_physical_devices("GPU")


@contextlib.contextmanager
def single_threaded_executor() -> Iterator[None]:
    """Executes graphs called inside one operation after another.

    Only for flat graphs (see `is_flat`) traced under `functional_loops`, so nothing of a user's
    may run inside.
    """
    with context.function_executor_type(_ONE_THREAD):
        yield


def clear_kernels() -> None:
    """Empties TensorFlow's cache of kernels, which grows with every variable ever made.

    `keras.utils.clear_session` does this too, and resets much else. Afterwards each graph in use
    is prepared again, which takes it some tens of milliseconds once.
    """
    context.context().clear_kernel_cache()


@contextlib.contextmanager
def collectable_graphs() -> Iterator[None]:
    """Lets the graphs traced inside be freed when nothing uses them any more.

    `tf.custom_gradient`, which Keras's losses use, enters a function that holds the graph into a
    registry for ever. It is looked up when a graph is differentiated; ours hold their gradients
    already.
    """
    registry = ops.gradient_registry._registry
    before = set(registry)
    try:
        yield
    finally:
        for name in set(registry) - before:
            if name.startswith("CustomGradient-"):
                del registry[name]
