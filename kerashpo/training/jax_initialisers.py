"""Initialisers on JAX without compilation for each new shape.

XLA compiles random number generation for every shape, which takes a third of a second for each
new layer of a search. JAX derives each number from its index in the flat array, so a shorter
array is the beginning of a longer one: generating a few standard lengths and cutting them gives
the same numbers with few executables.
"""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from keras.src.random.seed_generator import draw_seed

#: Standard lengths; Keras itself generates longer arrays.
_LENGTHS = (2**12, 2**15, 2**18, 2**21)
_DRAWS = ("uniform", "normal", "truncated_normal")
_CONSTANTS = ("zeros", "ones")
_NUMBERS = (int, float, np.integer, np.floating)


@contextlib.contextmanager
def shared_initialiser_shapes() -> Iterator[None]:
    """Context in which Keras's initialisers share executables; no effect on other backends."""
    if keras.backend.backend() != "jax":
        yield
        return
    import jax
    from keras.src.backend.jax import numpy as constants
    from keras.src.backend.jax import random as draws

    usual = jax.config.jax_threefry_partitionable and hasattr(draws, "jax_draw_seed")
    if not usual:
        yield  # the numbers depend on the whole shape, or a key cannot be passed on
        return
    stock: list[tuple[Any, str, Any]] = [
        *((draws, name, getattr(draws, name)) for name in _DRAWS),
        *((constants, name, getattr(constants, name)) for name in _CONSTANTS),
    ]
    try:
        for module, name, function in stock:
            made = _cut(function) if module is draws else _copied(name)
            setattr(module, name, made)
        yield
    finally:
        for module, name, function in stock:
            setattr(module, name, function)


def _cut(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function that generates a standard length and cuts it.

    Keras's own function is called while tracing, and if a parameter is an array.
    """
    import jax

    signature = inspect.signature(stock)

    def draw(*args: Any, **kwargs: Any) -> Any:
        given = dict(signature.bind(*args, **kwargs).arguments)
        shape, seed = given.pop("shape"), given.pop("seed", None)
        # Drawn once: each draw advances the seed generator.
        key = seed if isinstance(seed, jax.Array) else draw_seed(seed)
        plain = all(name == "dtype" or isinstance(given[name], _NUMBERS) for name in given)
        size = math.prod(shape)
        length = next((length for length in _LENGTHS if size <= length), None)
        if length is None or not plain or isinstance(key, jax.core.Tracer):
            return stock(shape, seed=key, **given)
        drawn = np.asarray(stock((length,), seed=key, **given))
        return jax.numpy.asarray(drawn[:size].reshape(shape))

    return draw


def _copied(name: str) -> Callable[..., Any]:
    """Returns a function that copies a constant array to the device instead of computing it."""

    def constant(shape: Any, dtype: Any = None) -> Any:
        import jax

        dtype = keras.backend.standardize_dtype(dtype)
        return jax.numpy.asarray(getattr(np, name)(shape, dtype=dtype))

    return constant
