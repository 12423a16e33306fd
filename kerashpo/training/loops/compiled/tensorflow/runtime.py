"""TensorFlow runtime options: graph optimizer, executor and caches, set for a session."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework import ops

#: Collections of Python's middle generation after which a full one is due.
_COLLECTIONS = 20
_OPTION = "disable_meta_optimizer"


@contextlib.contextmanager
def without_grappler() -> Iterator[None]:
    """Context that disables the graph optimizer (Grappler) for functions first called inside.

    For dense layers of unknown width and for small models of other layers it has no effect on the
    time of an epoch, but makes the first call take half as long again.
    """
    before = bool(tf.config.optimizer.get_experimental_options().get(_OPTION, False))
    tf.config.optimizer.set_experimental_options({_OPTION: True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({_OPTION: before})


#: Multiplications per step up to which one thread is faster than several.
_FEW_PRODUCTS = 1_500_000
_ONE_THREAD = "SINGLE_THREADED_EXECUTOR"


@contextlib.contextmanager
def functional_loops() -> Iterator[None]:
    """Context in which a traced loop stays one operation, for `single_threaded_executor`."""
    with context.function_executor_type(_ONE_THREAD):
        yield


def is_flat(graph: Any) -> bool:
    """Whether no loop of a graph calls further functions.

    `single_threaded_executor` would wait for them in a thread pool whose only thread may be the
    waiting one, which is a deadlock.
    """
    return not any(
        attribute.HasField("func") or attribute.list.func
        for function in graph.graph.as_graph_def().library.function
        for node in function.node_def
        for attribute in node.attr.values()
    )


def is_small(products: int) -> bool:
    """Whether a step of this many products (parameters times batch) is faster in one thread.

    The single-threaded executor takes two thirds of the time per operation, but runs one at a
    time. Measured on two cores: 25 % less CPU time below 1.5 million products, 25 % more above 3
    million.
    """
    return products <= _FEW_PRODUCTS and not has_gpu()


def has_gpu() -> bool:
    """Whether TensorFlow sees a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


@contextlib.contextmanager
def single_threaded_executor() -> Iterator[None]:
    """Context in which graphs run one operation after another, in one thread.

    Only for flat graphs (see `is_flat`) traced under `functional_loops`; no user code may run
    inside.
    """
    with context.function_executor_type(_ONE_THREAD):
        yield


def clear_kernels() -> None:
    """Clears TensorFlow's kernel cache, which grows with every variable ever made.

    `keras.utils.clear_session` does this too, but resets much else. Afterwards each graph in use
    is prepared again at its next call, which takes some tens of milliseconds.
    """
    context.context().clear_kernel_cache()


def collect_overdue() -> None:
    """Collects garbage if Python has not done so for some seven short searches.

    Models and graphs are reference cycles of megabytes outside Python's heap, which Python does
    not count. A collection takes about .4 s.
    """
    if gc.get_count()[2] >= _COLLECTIONS:
        gc.collect()


@contextlib.contextmanager
def collectable_graphs() -> Iterator[None]:
    """Context in which traced graphs can be garbage-collected once they are unused.

    `tf.custom_gradient`, which Keras's losses use, registers a function that holds the graph, and
    never removes it. The registry is only read when a graph is differentiated; these graphs
    contain their gradients already.
    """
    registry = ops.gradient_registry._registry
    before = set(registry)
    try:
        yield
    finally:
        for name in set(registry) - before:
            if name.startswith("CustomGradient-"):
                del registry[name]
