"""TensorFlow's own options, changed for the time of a session and put back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework import ops

_OPTION = "disable_meta_optimizer"


@contextlib.contextmanager
def quick_start() -> Iterator[None]:
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


def clear_kernels() -> None:
    """Empties TensorFlow's cache of kernels, which grows with every variable ever made.

    `keras.utils.clear_session` does this too, and resets much else. Afterwards each graph in use
    is prepared again, which takes it some tens of milliseconds once.
    """
    context.context().clear_kernel_cache()


@contextlib.contextmanager
def mortal_graphs() -> Iterator[None]:
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
