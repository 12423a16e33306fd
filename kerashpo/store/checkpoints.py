"""Checkpoints as bytes: arrays and JSON values; nothing is executed when they are read."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def pack(arrays: Mapping[str, np.ndarray], values: Mapping[str, Any]) -> bytes:
    """Serialises arrays and JSON values to the bytes of an ``.npz`` file."""
    types = {name: array.dtype.name for name, array in arrays.items()}
    body = {name: _storable(array) for name, array in arrays.items()}
    header = json.dumps({"types": types, "values": dict(values)}).encode()
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, __header__=np.frombuffer(header, np.uint8), **body)
    return buffer.getvalue()


def unpack(data: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Deserialises what `pack` wrote.

    Raises:
        ValueError: if the bytes are damaged.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            header = json.loads(file["__header__"].tobytes())
            arrays = {name: _restored(file[name], kind) for name, kind in header["types"].items()}
            return arrays, header["values"]
    except Exception as error:  # a wrong byte can look like encryption or another codec
        raise ValueError(f"the checkpoint is damaged: {error}") from error


def unpack_values(data: bytes) -> dict[str, Any]:
    """Deserialises only the JSON values that `pack` wrote, not the arrays.

    Raises:
        ValueError: if the bytes are damaged.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            values: dict[str, Any] = json.loads(file["__header__"].tobytes())["values"]
            return values
    except Exception as error:  # see `unpack`
        raise ValueError(f"the checkpoint is damaged: {error}") from error


def _storable(array: np.ndarray) -> np.ndarray:
    """Returns an array of a type that numpy can write: bfloat16 and the like as integers."""
    return array if array.dtype.isbuiltin == 1 else array.view(f"u{array.dtype.itemsize}")


def _restored(array: np.ndarray, kind: str) -> np.ndarray:
    if array.dtype.name == kind:
        return array
    import ml_dtypes

    return array.view(getattr(ml_dtypes, kind))


def read_variables(variables: Sequence[Any]) -> list[np.ndarray]:
    """Returns the values of Keras variables as copies."""
    return [np.array(variable.numpy()) for variable in variables]


def write_variables(variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
    """Assigns values to Keras variables.

    Raises:
        ValueError: if their number or shapes do not match.
    """
    if len(variables) != len(values):
        raise ValueError(f"expected {len(variables)} arrays, received {len(values)}")
    for variable, value in zip(variables, values):
        if tuple(variable.shape) != tuple(value.shape):
            name = getattr(variable, "path", variable.name)
            raise ValueError(f"{name}: {tuple(variable.shape)} is not {value.shape}")
        variable.assign(value)


def pack_list(values: Sequence[np.ndarray], **extra: Any) -> bytes:
    """Serialises a list of arrays (a model's weights) with some JSON values."""
    return pack({f"a{i}": value for i, value in enumerate(values)}, extra)


def unpack_list(data: bytes) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Deserialises what `pack_list` wrote."""
    arrays, extra = unpack(data)
    return [arrays[f"a{i}"] for i in range(len(arrays))], extra
