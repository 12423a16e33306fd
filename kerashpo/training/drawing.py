"""First values of variables on JAX, without compiling for each new shape.

XLA compiles the drawing of random numbers for every shape, a third of a second for each of a
search's new layers. JAX numbers the places of a flat array, so a shorter one begins a longer
one: drawing some standard lengths and cutting them gives the same numbers from a few executables.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

#: Lengths that are drawn; longer arrays go Keras's way.
_LENGTHS = (2**12, 2**15, 2**18, 2**21)
_DRAWS = ("uniform", "normal", "truncated_normal")
_CONSTANTS = ("zeros", "ones")


@contextlib.contextmanager
def few_shapes() -> Iterator[None]:
    """Lets Keras's initialisers share executables; does nothing on other backends."""
    if keras.backend.backend() != "jax":
        yield
        return
    import jax
    from keras.src.backend.jax import numpy as constants
    from keras.src.backend.jax import random as draws

    if not jax.config.jax_threefry_partitionable:
        yield  # the numbers depend on the whole shape
        return
    stock: list[tuple[Any, str, Any]] = [
        *((draws, name, getattr(draws, name)) for name in _DRAWS),
        *((constants, name, getattr(constants, name)) for name in _CONSTANTS),
    ]
    try:
        for module, name, function in stock:
            made = _cut(function) if module is draws else _copied(function, name)
            setattr(module, name, made)
        yield
    finally:
        for module, name, function in stock:
            setattr(module, name, function)


def _cut(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function that draws a standard length and cuts it."""

    def draw(shape: Any, *args: Any, **kwargs: Any) -> Any:
        import jax

        size = math.prod(shape)
        length = next((length for length in _LENGTHS if size <= length), None)
        if length is None:
            return stock(shape, *args, **kwargs)
        drawn = stock((length,), *args, **kwargs)
        if not isinstance(drawn, jax.core.Tracer):
            drawn = np.asarray(drawn)  # cut without compiling a slice
        return jax.numpy.asarray(drawn[:size].reshape(shape))

    return draw


def _copied(stock: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Returns a function that copies a constant array to the device instead of computing it."""

    def constant(shape: Any, dtype: Any = None) -> Any:
        import jax

        dtype = keras.backend.standardize_dtype(dtype)
        return jax.numpy.asarray(getattr(np, name)(shape, dtype=dtype))

    return constant
