"""Structure of a model: its layers and operations, their arguments, and how they are connected."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import keras

_NAMES = ("name", "seed", "build_config", "shared_object_id")
"""Entries of a configuration that differ between equal models of two processes."""


def structure_of(model: Any) -> list[tuple[str, dict[str, Any]]]:
    """Returns class and configuration of each layer or operation, those inside others too.

    Names, seeds and numbers of objects are left out. A functional model's operations have
    ``inputs``: for each call, the positions of the operations whose outputs it takes.

    Args:
        model: any model. What is not a `keras.Model`, or a class that a user cannot serialise, has
            less to show, or nothing.
    """
    if not isinstance(model, keras.Model):
        return []
    found: list[tuple[str, dict[str, Any]]] = [(type(model).__name__, {})]
    operations = operations_of(model)
    places = {id(operation): place for place, operation in enumerate(operations)}
    for operation in operations:
        inputs = list(_inputs(operation, places))
        config = _config(operation) | ({"inputs": inputs} if inputs else {})
        found.append((type(operation).__name__, config))
    return found


def operations_of(model: Any) -> list[Any]:
    """Returns the operations of a functional model, or the layers of any other, flattened."""
    if isinstance(model, keras.Sequential):
        direct = list(vars(model).get("_layers", ()))  # `layers` would build the graph
    else:
        direct = list(getattr(model, "operations", None) or vars(model).get("_layers", ()))
    found = []
    for one in direct:
        found.append(one)
        if isinstance(one, keras.Model):
            found += operations_of(one)
        elif isinstance(one, keras.Layer):
            found += one._flatten_layers(include_self=False)
    return found


def _inputs(operation: Any, places: Mapping[int, int]) -> Iterator[list[int]]:
    with contextlib.suppress(AttributeError):
        for node in operation._inbound_nodes:
            sources = [tensor._keras_history.operation for tensor in node.input_tensors]
            if sources and all(id(source) in places for source in sources):
                yield [places[id(source)] for source in sources]


def _config(operation: Any) -> dict[str, Any]:
    if isinstance(operation, keras.Model):
        return {}  # its layers follow
    try:
        config = dict(operation.get_config())
    except Exception:  # get_config of a user's class may raise any exception
        return {}
    if isinstance(operation, keras.layers.Lambda):
        # Keras serialises its code with the line and the file where it was written.
        config["function"] = operation.function
    cleaned: dict[str, Any] = _without_names(config)
    return cleaned


def _without_names(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.get("class_name") == "__lambda__":
            return "a lambda"
        return {str(k): _without_names(v) for k, v in value.items() if k not in _NAMES}
    if isinstance(value, (list, tuple)):
        return [_without_names(item) for item in value]
    return value
