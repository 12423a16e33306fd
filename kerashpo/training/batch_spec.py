"""Shapes and dtypes of a batch, from which a model without `keras.Input` can be built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import keras
import numpy as np

from kerashpo.training.data import FitData


@final
@dataclass(frozen=True, slots=True)
class ArraySpec:
    """Shape and type of one array of a batch, as Keras names types.

    Attributes:
        shape: with None for sizes that are not known.
        dtype: e.g. ``"float32"`` or ``"string"``.
    """

    shape: tuple[int | None, ...]
    dtype: str


#: (x, y, sample_weight), each nested `ArraySpec`s or None.
BatchSpec = tuple[Any, Any, Any]


def batch_spec(data: FitData) -> BatchSpec | None:
    """Returns shapes and dtypes of the first batch; None if reading it would consume the data."""
    batch = first_batch(data)
    if batch is None:
        return None
    try:
        x, y, weight = keras.tree.map_structure(_spec, batch)
    except (TypeError, ValueError):
        return None  # ragged, or without a shape
    return x, y, weight


def first_batch(data: FitData) -> BatchSpec | None:
    """Returns the first batch, (x, y, sample_weight), as arrays or as their specification.

    None if the batch cannot be read without consuming the data.
    """
    if data.x is None:
        return None
    if data.has_rows:
        return data.first_batch()
    if isinstance(data.x, keras.utils.PyDataset):
        return keras.utils.unpack_x_y_sample_weight(data.x[0])  # type: ignore[no-any-return]
    if (spec := getattr(data.x, "element_spec", None)) is not None:
        return keras.utils.unpack_x_y_sample_weight(spec)  # type: ignore[no-any-return]
    return None


def to_json(spec: Any) -> Any:
    """Returns nested `ArraySpec`s, sizes and names as JSON values."""
    match spec:
        case ArraySpec():
            return {"shape": list(spec.shape), "dtype": spec.dtype}
        case dict():
            return {"dict": {name: to_json(item) for name, item in spec.items()}}
        case list() | tuple():
            kind = "list" if isinstance(spec, list) else "tuple"
            return {kind: [to_json(item) for item in spec]}
        case int() | str():
            return spec
        case _:
            return None


def from_json(value: Any) -> Any:
    """Reverses `to_json`."""
    match value:
        case {"shape": shape, "dtype": dtype}:
            return ArraySpec(tuple(shape), dtype)
        case {"dict": items}:
            return {name: from_json(item) for name, item in items.items()}
        case {"list": items}:
            return [from_json(item) for item in items]
        case {"tuple": items}:
            return tuple(from_json(item) for item in items)
        case _:
            return value


def _spec(leaf: Any) -> ArraySpec | None:
    if leaf is None:
        return None
    if not hasattr(leaf, "dtype"):
        leaf = np.asarray(leaf)
    shape = tuple(None if size is None else int(size) for size in leaf.shape)
    return ArraySpec(shape, _dtype(leaf.dtype))


def _dtype(dtype: Any) -> str:
    if isinstance(dtype, np.dtype) and dtype.kind in "OSU":
        return "string"
    return str(keras.backend.standardize_dtype(dtype))
