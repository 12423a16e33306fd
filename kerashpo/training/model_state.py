"""Training state of a model: all variables that training changes, wherever they are stored."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import keras

#: Attributes in which a compiled model keeps the arguments of `compile`.
_COMPILED = ("_loss", "loss", "_compile_loss", "_compile_metrics")
#: Packages whose objects are searched for variables only if their class is known to have some.
_CLOSED = frozenset("keras tensorflow jax jaxlib torch numpy builtins".split())
_DEPTH = 6


def state_variables(model: keras.Model) -> list[Any]:
    """Returns the variables of a model's training state, each once, in a fixed order.

    These are the variables of layers, seed generators, optimizers, metrics and losses, and any
    variables in attributes, containers or user objects of the model and its layers.
    """
    found: dict[int, Any] = {}
    for variable in _variables(model):
        found.setdefault(id(variable), variable)
    return list(found.values())


def _variables(model: keras.Model) -> Iterator[Any]:
    yield from model.variables
    yield from model.metrics_variables
    optimizer = getattr(model, "optimizer", None)
    yield from () if optimizer is None else optimizer.variables
    seen: set[int] = set()
    for name in _COMPILED:
        yield from _held(vars(model).get(name), seen, _DEPTH)
    for layer in model._flatten_layers():
        for name, value in list(vars(layer).items()):
            if not name.startswith("_kerashpo"):  # our own notes about the model
                yield from _held(value, seen, _DEPTH)


def _held(value: Any, seen: set[int], depth: int) -> Iterator[Any]:
    """Yields the variables inside a value, at most `depth` containers and objects deep."""
    if depth == 0 or id(value) in seen or isinstance(value, (str, bytes, int, float, type)):
        return
    seen.add(id(value))
    if isinstance(value, keras.Variable) or _is_native_variable(value):
        yield value
    elif isinstance(value, keras.random.SeedGenerator):
        yield value.state
    elif isinstance(value, (keras.optimizers.Optimizer, keras.metrics.Metric, keras.layers.Layer)):
        yield from value.variables
    elif isinstance(value, Mapping):
        for item in list(value.values()):
            yield from _held(item, seen, depth - 1)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in list(value):
            yield from _held(item, seen, depth - 1)
    elif isinstance(value, keras.losses.Loss) or _is_users(value):
        for item in list(getattr(value, "__dict__", {}).values()):
            yield from _held(item, seen, depth - 1)


def _is_native_variable(value: Any) -> bool:
    """Whether a value is a `tf.Variable` that no Keras variable wraps."""
    return type(value).__module__.startswith("tensorflow.") and hasattr(value, "assign_add")


def _is_users(value: Any) -> bool:
    root = type(value).__module__.partition(".")[0]
    return root not in _CLOSED


def architecture_of(model: keras.Model) -> str | None:
    """Serialises a model's layers, build and compile arguments as JSON; None if Keras cannot."""
    try:
        return json.dumps(keras.saving.serialize_keras_object(model))
    except Exception:  # get_config of a user's class may raise any exception
        return None
